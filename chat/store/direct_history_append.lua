-- Keep one direct message where its time puts it, and publish it; drop what has expired and what is too much. A repeat
-- does nothing.
-- KEYS[1]  the conversation (list of lines, oldest first)
-- KEYS[2]  the conversations of who sends; KEYS[3] of who gets it (sorted sets, score: microseconds of the last message)
-- KEYS[4]  where the message is marked as sent (string); may be missing
-- ARGV[1]  the message's createTime; ARGV[2] the same in microseconds
-- ARGV[3]  its line
-- ARGV[4]  the earliest createTime that is still kept; ARGV[5] the same in microseconds
-- ARGV[6]  how many messages a conversation keeps at most
-- ARGV[7]  milliseconds until the keys may go
-- ARGV[8]  who sends; ARGV[9] who gets it
-- ARGV[10] the mark; ARGV[11] milliseconds that it lasts
-- ARGV[12..] by threes: where to publish, what to put before, and the copy to publish
-- Returns the mark of the same message sent before, or "".
local function moment(line) return string.match(line, '"createTime":"([^"]*)"') or "" end

if KEYS[4] then
    local earlier = redis.call("GET", KEYS[4])
    if earlier then return earlier end
    redis.call("SET", KEYS[4], ARGV[10], "PX", ARGV[11])
end

-- Another process may have stamped later and been here first: the list stays in the order of time.
local later, last = {}, redis.call("LINDEX", KEYS[1], -1)
while last and moment(last) > ARGV[1] and #later < 1000 do
    later[#later + 1] = redis.call("RPOP", KEYS[1])
    last = redis.call("LINDEX", KEYS[1], -1)
end
redis.call("RPUSH", KEYS[1], ARGV[3])
for index = #later, 1, -1 do redis.call("RPUSH", KEYS[1], later[index]) end

local first = redis.call("LINDEX", KEYS[1], 0)
while first and moment(first) < ARGV[4] do
    redis.call("LPOP", KEYS[1])
    first = redis.call("LINDEX", KEYS[1], 0)
end
redis.call("LTRIM", KEYS[1], -ARGV[6], -1)
redis.call("PEXPIRE", KEYS[1], ARGV[7])

for index, other in ipairs({ARGV[9], ARGV[8]}) do
    local conversations = KEYS[index + 1]
    redis.call("ZADD", conversations, "GT", ARGV[2], other)
    redis.call("ZREMRANGEBYSCORE", conversations, "-inf", "(" .. ARGV[5])
    redis.call("ZREMRANGEBYRANK", conversations, 0, -1001)
    redis.call("PEXPIRE", conversations, ARGV[7])
end
for index = 12, #ARGV, 3 do redis.call("PUBLISH", ARGV[index], ARGV[index + 1] .. ARGV[index + 2]) end
return ""
