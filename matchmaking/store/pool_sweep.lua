-- Take out those whose lease has run out, a hundred at a time.
-- ARGV[1]  the time now (seconds since 1970)
-- Returns the moment, then by turns a user and whom his call was with or "".
local swept = {moment()}
for _, user in ipairs(redis.call("ZRANGEBYSCORE", leases, "-inf", ARGV[1], "LIMIT", 0, 100)) do
    -- He may be the peer of one who has just been taken out.
    if redis.call("ZREM", leases, user) == 1 then
        redis.call("SREM", waiting, user)
        swept[#swept + 1] = user
        swept[#swept + 1] = part(user)
    end
end
return swept
