-- Let a user no longer wait; a call that the user is in goes on.
-- ARGV[1]  the user
-- Returns the moment.
local user = ARGV[1]

if redis.call("SREM", waiting, user) == 1 then redis.call("ZREM", leases, user) end
return moment()
