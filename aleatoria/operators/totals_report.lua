-- What a process says of itself. It is kept until the process says something else, or nothing for a while.
-- KEYS[1]   the process's report (hash)
-- ARGV[1]   milliseconds until it may go
-- ARGV[2..] by turns fields and values
-- Returns nothing.
local report, ttl = KEYS[1], ARGV[1]

redis.call("HSET", report, unpack(ARGV, 2))
redis.call("PEXPIRE", report, ttl)
