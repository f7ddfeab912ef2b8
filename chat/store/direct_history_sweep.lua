-- Drop what has expired at the head of a conversation, a thousand messages at most.
-- KEYS[1]  the conversation (list of lines, oldest first)
-- ARGV[1]  the earliest createTime that is still kept
-- Returns nothing.
local conversation, oldest = KEYS[1], ARGV[1]
for _ = 1, 1000 do
    local first = redis.call("LINDEX", conversation, 0)
    if not first or created_in(first) >= oldest then return end
    redis.call("LPOP", conversation)
end
