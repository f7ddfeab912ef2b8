-- Extend the leases of users whose sockets are open.
-- ARGV[1]   until when the leases run (seconds since 1970)
-- ARGV[2..] the users
-- Returns those who have no lease to extend.
local lease_until = ARGV[1]

local lost = {}
for index = 2, #ARGV do
    local user = ARGV[index]
    if redis.call("ZSCORE", leases, user) then
        lease(user, lease_until)
    else
        lost[#lost + 1] = user
    end
end
keep()
return lost
