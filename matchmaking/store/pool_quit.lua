-- A user is gone: he waits no longer and his call ends. Unless a lease of his says that he is back.
-- ARGV[1]  the user; ARGV[2] until when his lease may run (seconds since 1970)
-- Returns {whom the call was with or "", the moment}.
if tonumber(redis.call("ZSCORE", leases, ARGV[1]) or 0) > tonumber(ARGV[2]) then return {"", moment()} end
redis.call("SREM", waiting, ARGV[1])
redis.call("ZREM", leases, ARGV[1])
return {part(ARGV[1]), moment()}
