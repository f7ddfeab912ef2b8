-- Take out those whose time is up.
-- KEYS[1]  who is online (sorted set, score: until when, in seconds since 1970)
-- ARGV[1]  how many at most
-- Returns them.
local now = redis.call("TIME")[1]
local gone = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now, "LIMIT", 0, ARGV[1])
if #gone > 0 then redis.call("ZREM", KEYS[1], unpack(gone)) end
return gone
