-- End the call between two users.
-- ARGV[1], ARGV[2]  the two users
-- Returns the moment, or 0 when they are in no call with each other.
local user, peer = ARGV[1], ARGV[2]

if peer_of(user) ~= peer then return 0 end
part(user)
return moment()
