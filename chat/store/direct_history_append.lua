-- Keep one direct message where its time puts it; drop what has expired and what is too much.
-- KEYS[1]  the conversation (list of lines, oldest first)
-- ARGV[1]  the message's createTime
-- ARGV[2]  its line
-- ARGV[3]  the earliest createTime that is still kept
-- ARGV[4]  how many messages a conversation keeps at most
-- ARGV[5]  milliseconds until the whole key may go
-- Returns nothing.
local function moment(line) return string.match(line, '"createTime":"([^"]*)"') or "" end

-- Another process may have stamped later and been here first: the list stays in the order of time.
local later, last = {}, redis.call("LINDEX", KEYS[1], -1)
while last and moment(last) > ARGV[1] and #later < 1000 do
    later[#later + 1] = redis.call("RPOP", KEYS[1])
    last = redis.call("LINDEX", KEYS[1], -1)
end
redis.call("RPUSH", KEYS[1], ARGV[2])
for index = #later, 1, -1 do redis.call("RPUSH", KEYS[1], later[index]) end

local first = redis.call("LINDEX", KEYS[1], 0)
while first and moment(first) < ARGV[3] do
    redis.call("LPOP", KEYS[1])
    first = redis.call("LINDEX", KEYS[1], 0)
end
redis.call("LTRIM", KEYS[1], -ARGV[4], -1)
redis.call("PEXPIRE", KEYS[1], ARGV[5])
