-- What a process says of itself, until it says something else or nothing for a while.
-- KEYS[1]   its report (hash)
-- ARGV[1]   milliseconds until it may go
-- ARGV[2..] by turns fields and values
-- Returns nothing.
redis.call("HSET", KEYS[1], unpack(ARGV, 2))
redis.call("PEXPIRE", KEYS[1], ARGV[1])
