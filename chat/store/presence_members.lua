-- The members of a set, and which of them are online.
-- KEYS[1]  the set of users
-- KEYS[2]  who is online (sorted set, score: until when, in seconds since 1970)
-- ARGV[1]  how many members at most
-- Returns by turns a user and 1, or 0 when the user is offline.
local members, online, most = KEYS[1], KEYS[2], ARGV[1]

local now, found = tonumber(redis.call("TIME")[1]), {}
for _, user in ipairs(redis.call("SRANDMEMBER", members, most)) do
    found[#found + 1] = user
    found[#found + 1] = tonumber(redis.call("ZSCORE", online, user) or 0) > now and 1 or 0
end
return found
