-- Keep one message of a room; drop what has expired and what is too much.
-- KEYS[1]  the room's messages (sorted set, score: nanoseconds of createTime)
-- ARGV[1]  the message's score
-- ARGV[2]  its line
-- ARGV[3]  the lowest score that is still kept
-- ARGV[4]  how many messages a room keeps at most
-- ARGV[5]  milliseconds until the whole key may go
-- Returns nothing.
redis.call("ZADD", KEYS[1], ARGV[1], ARGV[2])
redis.call("PEXPIRE", KEYS[1], ARGV[5])
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", "(" .. ARGV[3])
redis.call("ZREMRANGEBYRANK", KEYS[1], 0, -1 - ARGV[4])
