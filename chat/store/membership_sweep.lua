-- Take out of a room each member without a sign of life for so long that the member's own rooms have been forgotten.
-- KEYS[1]  the room's members (set)
-- ARGV[1]  the room
-- ARGV[2]  what the key of a user's rooms begins with; the user's id follows
-- ARGV[3]  how many members to look at; of more than these, so many random ones
-- Returns how many were taken out.
local members = KEYS[1]
local room, prefix, most = unpack(ARGV)

local gone = 0
for _, user in ipairs(redis.call("SRANDMEMBER", members, most)) do
    if redis.call("SISMEMBER", prefix .. user, room) == 0 then
        gone = gone + redis.call("SREM", members, user)
    end
end
return gone
