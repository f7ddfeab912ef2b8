-- Make a user a member of a room, unless the user is in too many.
-- KEYS[1]  the user's rooms (set)
-- KEYS[2]  the room's members (set)
-- ARGV[1]  the user; ARGV[2] the room
-- ARGV[3]  how many rooms a user may be in
-- ARGV[4]  milliseconds without a sign of life after which this is forgotten
-- Returns 1, or 0 when the user is in too many.
local rooms, members = KEYS[1], KEYS[2]
local user, room, most, ttl = unpack(ARGV)

if redis.call("SISMEMBER", rooms, room) == 0 and redis.call("SCARD", rooms) >= tonumber(most) then return 0 end
redis.call("SADD", rooms, room)
redis.call("SADD", members, user)
redis.call("PEXPIRE", rooms, ttl)
redis.call("PEXPIRE", members, ttl)
return 1
