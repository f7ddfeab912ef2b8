-- A user has read a conversation, if there is one.
-- KEYS[1]  his conversations (sorted set, score: microseconds of the last message)
-- KEYS[2]  up to which createTime he has read each (hash)
-- ARGV[1]  with whom it is; ARGV[2] up to which createTime
-- ARGV[3]  milliseconds until this is forgotten
-- Returns nothing.
if not redis.call("ZSCORE", KEYS[1], ARGV[1]) then return end
if (redis.call("HGET", KEYS[2], ARGV[1]) or "") < ARGV[2] then redis.call("HSET", KEYS[2], ARGV[1], ARGV[2]) end
redis.call("PEXPIRE", KEYS[2], ARGV[3])
if redis.call("HLEN", KEYS[2]) > 2000 then
    for _, other in ipairs(redis.call("HKEYS", KEYS[2])) do
        if not redis.call("ZSCORE", KEYS[1], other) then redis.call("HDEL", KEYS[2], other) end
    end
end
