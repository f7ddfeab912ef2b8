-- Keep one message of a room and publish it. A repeat does nothing.
-- KEYS[1]  the room's messages (sorted set, score: nanoseconds of createTime)
-- KEYS[2]  where the message is marked as sent (string); may be missing
-- ARGV[1]  the message's score
-- ARGV[2]  its line
-- ARGV[3]  where to publish it; ARGV[4] what to put before it there
-- ARGV[5]  milliseconds until the whole key may go
-- ARGV[6]  the lowest score that is still kept, to drop what has expired; "" to leave that for another time
-- ARGV[7]  how many messages a room keeps at most
-- ARGV[8]  the mark; ARGV[9] milliseconds that it lasts
-- Returns the mark of the same message sent before, or "".
local call, key = redis.call, KEYS[1]
if KEYS[2] then
    local earlier = call("GET", KEYS[2])
    if earlier then return earlier end
    call("SET", KEYS[2], ARGV[8], "PX", ARGV[9])
end
call("ZADD", key, ARGV[1], ARGV[2])
call("PEXPIRE", key, ARGV[5])
call("ZREMRANGEBYRANK", key, 0, -1 - ARGV[7])
if ARGV[6] ~= "" then call("ZREMRANGEBYSCORE", key, "-inf", "(" .. ARGV[6]) end
call("PUBLISH", ARGV[3], ARGV[4] .. ARGV[2])
return ""
