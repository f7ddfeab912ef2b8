-- Count users as online for a while, from now on.
-- KEYS[1]   who is online (sorted set, score: until when, in seconds since 1970)
-- ARGV[1]   for how many seconds
-- ARGV[2..] the users
-- Returns those who were not online until now.
local online, seconds = KEYS[1], ARGV[1]

local now = redis.call("TIME")
local till, come = now[1] + now[2] / 1000000 + seconds, {}
for index = 2, #ARGV do
    local user = ARGV[index]
    if redis.call("ZADD", online, till, user) == 1 then come[#come + 1] = user end
end
redis.call("EXPIRE", online, 60)
return come
