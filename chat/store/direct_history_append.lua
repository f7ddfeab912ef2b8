-- Keep one direct message where its time puts it, and publish its copies. A repeat does nothing.
-- KEYS[1]  the conversation (list of lines, oldest first)
-- KEYS[2]  the sender's conversations; KEYS[3] the recipient's (sorted sets, score: microseconds of a late message)
-- KEYS[4]  where the message is marked as sent (string); may be missing
-- ARGV[1]  the message's createTime; ARGV[2] the same in microseconds
-- ARGV[3]  its line
-- ARGV[4]  the earliest createTime that is still kept, to drop what has expired; "" to leave that for another time
-- ARGV[5]  the same in microseconds
-- ARGV[6]  how many messages a conversation keeps at most
-- ARGV[7]  milliseconds until the keys may go
-- ARGV[8]  the sender; ARGV[9] the recipient
-- ARGV[10] the mark; ARGV[11] milliseconds that it lasts
-- ARGV[12..] by twos: the channel of a copy, and what to put before the copy; the last copy is the sender's
-- Returns the mark of the same message sent before, or "".
local created, micros, line, oldest, oldest_micros, most, ttl, sender, recipient, mark, mark_ttl = unpack(ARGV, 1, 11)
local conversation, of_sender, of_recipient, sent = unpack(KEYS)
local FIRST_COPY = 12
local call = redis.call

if sent then
    local earlier = call("GET", sent)
    if earlier then return earlier end
    call("SET", sent, mark, "PX", mark_ttl)
end

-- Another process may have stamped later and been here first: the list stays in the order of time.
local later, last = {}, call("LINDEX", conversation, -1)
while last and created_in(last) > created and #later < 1000 do
    later[#later + 1] = call("RPOP", conversation)
    last = call("LINDEX", conversation, -1)
end
local count = call("RPUSH", conversation, line)
for index = #later, 1, -1 do call("RPUSH", conversation, later[index]) end
if count + #later > tonumber(most) then call("LTRIM", conversation, -most, -1) end

if oldest ~= "" or count == 1 then
    local first = call("LINDEX", conversation, 0)
    while first and created_in(first) < oldest do
        call("LPOP", conversation)
        first = call("LINDEX", conversation, 0)
    end
    call("PEXPIRE", conversation, ttl)
    local function list(conversations, other)
        call("ZADD", conversations, "GT", micros, other)
        call("ZREMRANGEBYSCORE", conversations, "-inf", "(" .. oldest_micros)
        call("ZREMRANGEBYRANK", conversations, 0, -1001)
        call("PEXPIRE", conversations, ttl)
    end
    list(of_sender, recipient)
    list(of_recipient, sender)
end

local for_recipient, for_sender = copies_of(line)
for index = FIRST_COPY, #ARGV, 2 do
    local channel, head, is_last = ARGV[index], ARGV[index + 1], index + 1 == #ARGV
    call("PUBLISH", channel, head .. (is_last and for_sender or for_recipient))
end
return ""
