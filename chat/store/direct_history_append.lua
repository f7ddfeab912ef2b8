-- Keep one direct message where its time puts it, and publish it. A repeat does nothing.
-- KEYS[1]  the conversation (list of lines, oldest first)
-- KEYS[2]  the conversations of who sends; KEYS[3] of who gets it (sorted sets, score: microseconds of a late message)
-- KEYS[4]  where the message is marked as sent (string); may be missing
-- ARGV[1]  the message's createTime; ARGV[2] the same in microseconds
-- ARGV[3]  its line
-- ARGV[4]  the earliest createTime that is still kept, to drop what has expired; "" to leave that for another time
-- ARGV[5]  the same in microseconds
-- ARGV[6]  how many messages a conversation keeps at most
-- ARGV[7]  milliseconds until the keys may go
-- ARGV[8]  who sends; ARGV[9] who gets it
-- ARGV[10] the mark; ARGV[11] milliseconds that it lasts
-- ARGV[12..] by twos: where to publish a copy, and what to put before it; the last is that of who sends
-- Returns the mark of the same message sent before, or "".
local call, key = redis.call, KEYS[1]
local function moment(line) return string.match(line, '"createTime":"([^"]*)"') or "" end

if KEYS[4] then
    local earlier = call("GET", KEYS[4])
    if earlier then return earlier end
    call("SET", KEYS[4], ARGV[10], "PX", ARGV[11])
end

-- Another process may have stamped later and been here first: the list stays in the order of time.
local later, last = {}, call("LINDEX", key, -1)
while last and moment(last) > ARGV[1] and #later < 1000 do
    later[#later + 1] = call("RPOP", key)
    last = call("LINDEX", key, -1)
end
local count = call("RPUSH", key, ARGV[3])
for index = #later, 1, -1 do call("RPUSH", key, later[index]) end
if count + #later > tonumber(ARGV[6]) then call("LTRIM", key, -ARGV[6], -1) end

if ARGV[4] ~= "" or count == 1 then
    local first = call("LINDEX", key, 0)
    while first and moment(first) < ARGV[4] do
        call("LPOP", key)
        first = call("LINDEX", key, 0)
    end
    call("PEXPIRE", key, ARGV[7])
    for index, other in ipairs({ARGV[9], ARGV[8]}) do
        local conversations = KEYS[index + 1]
        call("ZADD", conversations, "GT", ARGV[2], other)
        call("ZREMRANGEBYSCORE", conversations, "-inf", "(" .. ARGV[5])
        call("ZREMRANGEBYRANK", conversations, 0, -1001)
        call("PEXPIRE", conversations, ARGV[7])
    end
end

-- A copy is the line with one more field. What stands before the payload is ours, and quotes in it are escaped.
local place = string.find(ARGV[3], ',"payload":', 1, true)
local before, behind = string.sub(ARGV[3], 1, place - 1), string.sub(ARGV[3], place)
for index = 12, #ARGV, 2 do
    local incoming = index + 1 < #ARGV and ',"incoming":true' or ',"incoming":false'
    call("PUBLISH", ARGV[index], ARGV[index + 1] .. before .. incoming .. behind)
end
return ""
