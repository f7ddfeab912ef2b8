-- A user's connection is lost: shorten the user's lease to the time in which they may come back.
-- ARGV[1]  the user; ARGV[2] until when the lease runs (seconds since 1970)
-- Returns nothing.
local user, lease_until = ARGV[1], ARGV[2]

redis.call("ZADD", leases, "XX", lease_until, user)
