-- A user's connection is lost: shorten his lease to the time in which he may come back.
-- ARGV[1]  the user; ARGV[2] until when (seconds since 1970)
-- Returns nothing.
redis.call("ZADD", leases, "XX", ARGV[2], ARGV[1])
