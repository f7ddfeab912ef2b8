-- End a user's membership of a room; an empty set is gone by itself.
-- KEYS[1]  the user's rooms (set)
-- KEYS[2]  the room's members (set)
-- ARGV[1]  the user; ARGV[2] the room
-- Returns nothing.
local rooms, members = KEYS[1], KEYS[2]
local user, room = unpack(ARGV)

redis.call("SREM", rooms, room)
redis.call("SREM", members, user)
