-- Let a user wait; a call he was in ends.
-- ARGV[1]  the user; ARGV[2] until when his lease runs (seconds since 1970)
-- Returns {whom the call was with or "", the moment}.
local freed = part(ARGV[1])
redis.call("SADD", waiting, ARGV[1])
lease(ARGV[1], ARGV[2])
keep()
return {freed, moment()}
