-- A user is gone: he waits no longer and his call ends.
-- ARGV[1]  the user
-- Returns {whom the call was with or "", the moment}.
redis.call("SREM", waiting, ARGV[1])
redis.call("ZREM", leases, ARGV[1])
return {part(ARGV[1]), moment()}
