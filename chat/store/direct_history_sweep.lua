-- Drop what has expired at the head of a conversation, a thousand messages at most.
-- KEYS[1]  the conversation (list of lines, oldest first)
-- ARGV[1]  the earliest createTime that is still kept
-- Returns nothing.
for _ = 1, 1000 do
    local first = redis.call("LINDEX", KEYS[1], 0)
    if not first or (string.match(first, '"createTime":"([^"]*)"') or "") >= ARGV[1] then return end
    redis.call("LPOP", KEYS[1])
end
