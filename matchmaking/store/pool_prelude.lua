-- What the pool's scripts share. All of them take
-- KEYS[1]  who waits (set)
-- KEYS[2]  until when each user who waits or is in a call counts as alive (sorted set, score: seconds since 1970)
-- KEYS[3]  who is in a call with whom, both ways (hash)
-- KEYS[4]  of each call the user who asked, the impolite one (set)
local waiting, leases, calls, callers = unpack(KEYS)

-- Let the keys expire after an hour without a sign of life: then they hold nobody who is alive.
local function keep()
    for _, key in ipairs(KEYS) do redis.call("EXPIRE", key, 3600) end
end

-- Whom the user is in a call with, or "".
local function peer_of(user) return redis.call("HGET", calls, user) or "" end

local function role_of(user)
    return redis.call("SISMEMBER", callers, user) == 1 and "impolite" or "polite"
end

-- Count the user as alive until a time in seconds since 1970.
local function lease(user, lease_until) redis.call("ZADD", leases, lease_until, user) end

-- Begin a call between two users who are in none.
local function connect(impolite, polite)
    redis.call("SREM", waiting, impolite, polite)
    redis.call("HSET", calls, impolite, polite, polite, impolite)
    redis.call("SADD", callers, impolite)
    redis.call("SREM", callers, polite)
end

-- The moment of this step in microseconds, by the one clock that all processes share. A process that hears of the step
-- late compares the moment with what it knows.
local function moment()
    local now = redis.call("TIME")
    return now[1] * 1000000 + now[2]
end

-- End whatever call the user is in; both users are then in none. Returns whom the call was with, or "".
local function part(user)
    local peer = peer_of(user)
    if peer ~= "" then
        redis.call("HDEL", calls, user, peer)
        redis.call("SREM", callers, user, peer)
        redis.call("ZREM", leases, user, peer)
    end
    return peer
end
