-- The members of a set, and which of them are online.
-- KEYS[1]  the set of users
-- KEYS[2]  who is online (sorted set, score: until when, in seconds since 1970)
-- ARGV[1]  how many at most
-- Returns by turns a user and 1, or 0 when he is offline.
local now, found = tonumber(redis.call("TIME")[1]), {}
for _, user in ipairs(redis.call("SRANDMEMBER", KEYS[1], ARGV[1])) do
    found[#found + 1] = user
    found[#found + 1] = tonumber(redis.call("ZSCORE", KEYS[2], user) or 0) > now and 1 or 0
end
return found
