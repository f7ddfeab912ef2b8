-- What the pool's scripts share. All of them take
-- KEYS[1]  who waits (set)
-- KEYS[2]  until when each who waits or is in a call counts as alive (sorted set, score: seconds since 1970)
-- KEYS[3]  who is in a call with whom, both ways (hash)
-- KEYS[4]  of each call the one who asked, the impolite one (set)
local waiting, leases, calls, callers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- Keys without a sign of life for an hour hold nothing that is alive.
local function keep()
    for _, key in ipairs(KEYS) do redis.call("EXPIRE", key, 3600) end
end

local function peer_of(user) return redis.call("HGET", calls, user) or "" end

local function role_of(user)
    return redis.call("SISMEMBER", callers, user) == 1 and "impolite" or "polite"
end

local function lease(user, seconds) redis.call("ZADD", leases, seconds, user) end

local function connect(impolite, polite)
    redis.call("SREM", waiting, impolite, polite)
    redis.call("HSET", calls, impolite, polite, polite, impolite)
    redis.call("SADD", callers, impolite)
    redis.call("SREM", callers, polite)
end

-- The moment of this step in microseconds, by the one clock that all processes share: what they hear of late, they can
-- tell by it from what they know.
local function moment()
    local now = redis.call("TIME")
    return now[1] * 1000000 + now[2]
end

-- End whatever call the user is in; both are then in neither. Returns whom it was with, or "".
local function part(user)
    local peer = peer_of(user)
    if peer ~= "" then
        redis.call("HDEL", calls, user, peer)
        redis.call("SREM", callers, user, peer)
        redis.call("ZREM", leases, user, peer)
    end
    return peer
end
