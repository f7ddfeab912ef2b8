-- The conversations of a user, the newest first.
-- KEYS[1]  his conversations (sorted set, score: microseconds of the last message)
-- KEYS[2]  up to which createTime he has read each (hash)
-- ARGV[1]  the user; ARGV[2] what the key of a conversation begins with
-- ARGV[3]  the earliest createTime that is still kept; ARGV[4] the same in microseconds
-- ARGV[5]  how many conversations at most, and how many unread messages of each
-- Returns by threes the other user, the last line and how many of the other's are unread.
local function moment(line) return string.match(line, '"createTime":"([^"]*)"') or "" end

local found, most = {}, tonumber(ARGV[5])
for _, other in ipairs(redis.call("ZRANGE", KEYS[1], "+inf", ARGV[4], "BYSCORE", "REV", "LIMIT", 0, most)) do
    local first, second = ARGV[1], other
    if second < first then first, second = second, first end
    local key = ARGV[2] .. first .. ":" .. second
    local last = redis.call("LINDEX", key, -1)
    if last and moment(last) >= ARGV[3] then
        local read = redis.call("HGET", KEYS[2], other) or ARGV[3]
        -- Only at its beginning is a line ours to believe: what stands further on is what somebody said.
        local from_other = '{"type":"chat_message","fromUser":"' .. other .. '"'
        local unread, index, line = 0, -1, last
        while line and moment(line) > read and unread < most and index > -10 * most do
            if other ~= ARGV[1] and string.sub(line, 1, #from_other) == from_other then unread = unread + 1 end
            index = index - 1
            line = redis.call("LINDEX", key, index)
        end
        found[#found + 1] = other
        found[#found + 1] = last
        found[#found + 1] = unread
    end
end
return found
