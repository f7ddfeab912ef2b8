-- Let a user wait; a call that the user was in ends.
-- ARGV[1]  the user; ARGV[2] until when the user's lease runs (seconds since 1970)
-- Returns {whom the call was with or "", the moment}.
local user, lease_until = ARGV[1], ARGV[2]

local freed = part(user)
redis.call("SADD", waiting, user)
lease(user, lease_until)
keep()
return {freed, moment()}
