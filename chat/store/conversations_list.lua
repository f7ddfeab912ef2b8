-- The conversations of a user, the newest first.
-- KEYS[1]  the user's conversations (sorted set, score: microseconds of the last message)
-- KEYS[2]  up to which createTime the user has read each (hash)
-- ARGV[1]  the user; ARGV[2] what the key of a conversation begins with
-- ARGV[3]  the earliest createTime that is still kept; ARGV[4] the same in microseconds
-- ARGV[5]  how many conversations at most, and how many unread messages of each
-- Returns by threes the other user, the last line and how many of the other's lines are unread.
local conversations, read = KEYS[1], KEYS[2]
local user, prefix, oldest, oldest_micros, most = unpack(ARGV)
most = tonumber(most)

local function key_with(other)
    if other < user then return prefix .. other .. ":" .. user end
    return prefix .. user .. ":" .. other
end

-- How many lines of the other user are later than what has been read; gives up after ten times as many as are counted.
local function count_unread(key, other, last)
    if other == user then return 0 end
    local read_until = redis.call("HGET", read, other) or oldest
    local unread, index, line = 0, -1, last
    while line and created_in(line) > read_until and unread < most and index > -10 * most do
        if is_from(line, other) then unread = unread + 1 end
        index = index - 1
        line = redis.call("LINDEX", key, index)
    end
    return unread
end

local found = {}
local newest = redis.call("ZRANGE", conversations, "+inf", oldest_micros, "BYSCORE", "REV", "LIMIT", 0, most)
for _, other in ipairs(newest) do
    local key = key_with(other)
    local last = redis.call("LINDEX", key, -1)
    if last and created_in(last) >= oldest then
        found[#found + 1] = other
        found[#found + 1] = last
        found[#found + 1] = count_unread(key, other, last)
    end
end
return found
