-- Take out those who no longer count as online.
-- KEYS[1]  who is online (sorted set, score: until when, in seconds since 1970)
-- ARGV[1]  how many to take out at most
-- Returns them.
local online, most = KEYS[1], ARGV[1]

local now = redis.call("TIME")[1]
local gone = redis.call("ZRANGEBYSCORE", online, "-inf", now, "LIMIT", 0, most)
if #gone > 0 then redis.call("ZREM", online, unpack(gone)) end
return gone
