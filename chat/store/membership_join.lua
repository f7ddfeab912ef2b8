-- Make a user a member of a room, unless he is in too many.
-- KEYS[1]  the user's rooms (set)
-- KEYS[2]  the room's members (set)
-- ARGV[1]  the user; ARGV[2] the room
-- ARGV[3]  how many rooms a user may be in
-- ARGV[4]  milliseconds without a sign of life after which this is forgotten
-- Returns 1, or 0 when he is in too many.
if redis.call("SISMEMBER", KEYS[1], ARGV[2]) == 0 and redis.call("SCARD", KEYS[1]) >= tonumber(ARGV[3]) then
    return 0
end
redis.call("SADD", KEYS[1], ARGV[2])
redis.call("SADD", KEYS[2], ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[4])
redis.call("PEXPIRE", KEYS[2], ARGV[4])
return 1
