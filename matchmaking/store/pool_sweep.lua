-- Take out the users whose leases have run out, a hundred at a time.
-- ARGV[1]  the time now (seconds since 1970)
-- Returns the moment, then by turns a user and whom the user's call was with or "".
local now = ARGV[1]

local swept = {moment()}
for _, user in ipairs(redis.call("ZRANGEBYSCORE", leases, "-inf", now, "LIMIT", 0, 100)) do
    -- This user may be the peer of another one, and then has been taken out with that one.
    if redis.call("ZREM", leases, user) == 1 then
        redis.call("SREM", waiting, user)
        swept[#swept + 1] = user
        swept[#swept + 1] = part(user)
    end
end
return swept
