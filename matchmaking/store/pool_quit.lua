-- A user is gone: they wait no longer and their call ends. Nothing changes when their lease says that they are back.
-- ARGV[1]  the user; ARGV[2] the latest end of a lease that does not say so (seconds since 1970)
-- Returns {whom the call was with or "", the moment}.
local user, latest = ARGV[1], tonumber(ARGV[2])

if tonumber(redis.call("ZSCORE", leases, user) or 0) > latest then return {"", moment()} end
redis.call("SREM", waiting, user)
redis.call("ZREM", leases, user)
return {part(user), moment()}
