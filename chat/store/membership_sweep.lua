-- Take out of a room whoever has shown no sign of life for so long that his own rooms have been forgotten.
-- KEYS[1]  the room's members (set)
-- ARGV[1]  the room
-- ARGV[2]  what a user's id is put behind to give the key of his rooms
-- ARGV[3]  how many members to look at; of more than these, so many random ones
-- Returns how many were taken out.
local gone = 0
for _, user in ipairs(redis.call("SRANDMEMBER", KEYS[1], ARGV[3])) do
    if redis.call("SISMEMBER", ARGV[2] .. user, ARGV[1]) == 0 then
        gone = gone + redis.call("SREM", KEYS[1], user)
    end
end
return gone
