-- Keep one message of a room and publish it. A repeat does nothing.
-- KEYS[1]  the room's messages (sorted set, score: nanoseconds of createTime)
-- KEYS[2]  where the message is marked as sent (string); may be missing
-- ARGV[1]  the message's score
-- ARGV[2]  its line
-- ARGV[3]  the channel to publish it on; ARGV[4] what to put before it there
-- ARGV[5]  milliseconds until the whole key may go
-- ARGV[6]  the lowest score that is still kept, to drop what has expired; "" to leave that for another time
-- ARGV[7]  how many messages a room keeps at most
-- ARGV[8]  the mark; ARGV[9] milliseconds that it lasts
-- Returns the mark of the same message sent before, or "".
local score, line, channel, head, ttl, oldest, most, mark, mark_ttl = unpack(ARGV)
local messages, sent = unpack(KEYS)
local call = redis.call

if sent then
    local earlier = call("GET", sent)
    if earlier then return earlier end
    call("SET", sent, mark, "PX", mark_ttl)
end
call("ZADD", messages, score, line)
call("PEXPIRE", messages, ttl)
call("ZREMRANGEBYRANK", messages, 0, -1 - most)
if oldest ~= "" then call("ZREMRANGEBYSCORE", messages, "-inf", "(" .. oldest) end
call("PUBLISH", channel, head .. line)
return ""
