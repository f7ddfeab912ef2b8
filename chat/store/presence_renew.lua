-- Count users as online for a while, from now on.
-- KEYS[1]   who is online (sorted set, score: until when, in seconds since 1970)
-- ARGV[1]   for how many seconds
-- ARGV[2..] the users
-- Returns those who were not online until now.
local now = redis.call("TIME")
local till, come = now[1] + now[2] / 1000000 + ARGV[1], {}
for index = 2, #ARGV do
    if redis.call("ZADD", KEYS[1], till, ARGV[index]) == 1 then come[#come + 1] = ARGV[index] end
end
redis.call("EXPIRE", KEYS[1], 60)
return come
