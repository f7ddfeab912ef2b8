-- A sign of life: what a user is a member of is kept for another while. A room he has just left stays left.
-- KEYS[1]     the user's rooms (set)
-- KEYS[2..]   the members of each room in ARGV[3..], in the same order (sets)
-- ARGV[1]     the user
-- ARGV[2]     milliseconds until this is forgotten
-- ARGV[3..]   rooms
-- Returns nothing.
redis.call("PEXPIRE", KEYS[1], ARGV[2])
for index = 2, #KEYS do
    if redis.call("SISMEMBER", KEYS[1], ARGV[index + 1]) == 1 then
        redis.call("SADD", KEYS[index], ARGV[1])
        redis.call("PEXPIRE", KEYS[index], ARGV[2])
    end
end
