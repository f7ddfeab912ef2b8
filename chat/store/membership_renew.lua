-- A sign of life: a user's memberships are kept for another while. A room that the user has just left stays left.
-- KEYS[1]     the user's rooms (set)
-- KEYS[2..]   the members of each room in ARGV[3..], in the same order (sets)
-- ARGV[1]     the user
-- ARGV[2]     milliseconds until this is forgotten
-- ARGV[3..]   rooms
-- Returns nothing.
local rooms, user, ttl = KEYS[1], ARGV[1], ARGV[2]

redis.call("PEXPIRE", rooms, ttl)
for index = 2, #KEYS do
    local members, room = KEYS[index], ARGV[index + 1]
    if redis.call("SISMEMBER", rooms, room) == 1 then
        redis.call("SADD", members, user)
        redis.call("PEXPIRE", members, ttl)
    end
end
