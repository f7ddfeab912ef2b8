-- A user has read a conversation, if there is one.
-- KEYS[1]  the user's conversations (sorted set, score: microseconds of the last message)
-- KEYS[2]  up to which createTime the user has read each (hash)
-- ARGV[1]  whom the conversation is with; ARGV[2] up to which createTime it is read
-- ARGV[3]  milliseconds until this is forgotten
-- Returns nothing.
local conversations, read = KEYS[1], KEYS[2]
local other, created, ttl = unpack(ARGV)

if not redis.call("ZSCORE", conversations, other) then return end
if (redis.call("HGET", read, other) or "") < created then redis.call("HSET", read, other, created) end
redis.call("PEXPIRE", read, ttl)
if redis.call("HLEN", read) > 2000 then
    for _, one in ipairs(redis.call("HKEYS", read)) do
        if not redis.call("ZSCORE", conversations, one) then redis.call("HDEL", read, one) end
    end
end
