-- Keep one message of a room and publish it; drop what has expired and what is too much. A repeat does nothing.
-- KEYS[1]  the room's messages (sorted set, score: nanoseconds of createTime)
-- KEYS[2]  where the message is marked as sent (string); may be missing
-- ARGV[1]  the message's score
-- ARGV[2]  its line
-- ARGV[3]  the lowest score that is still kept
-- ARGV[4]  how many messages a room keeps at most
-- ARGV[5]  milliseconds until the whole key may go
-- ARGV[6]  where to publish it; ARGV[7] what to put before it there
-- ARGV[8]  the mark; ARGV[9] milliseconds that it lasts
-- Returns the mark of the same message sent before, or "".
if KEYS[2] then
    local earlier = redis.call("GET", KEYS[2])
    if earlier then return earlier end
    redis.call("SET", KEYS[2], ARGV[8], "PX", ARGV[9])
end
redis.call("ZADD", KEYS[1], ARGV[1], ARGV[2])
redis.call("PEXPIRE", KEYS[1], ARGV[5])
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", "(" .. ARGV[3])
redis.call("ZREMRANGEBYRANK", KEYS[1], 0, -1 - ARGV[4])
redis.call("PUBLISH", ARGV[6], ARGV[7] .. ARGV[2])
return ""
