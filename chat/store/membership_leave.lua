-- End a user's membership of a room; an empty set is gone by itself.
-- KEYS[1]  the user's rooms (set)
-- KEYS[2]  the room's members (set)
-- ARGV[1]  the user; ARGV[2] the room
-- Returns nothing.
redis.call("SREM", KEYS[1], ARGV[2])
redis.call("SREM", KEYS[2], ARGV[1])
