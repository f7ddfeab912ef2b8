-- Extend the leases of users whose sockets are open.
-- ARGV[1]  until when (seconds since 1970); ARGV[2..] the users
-- Returns those who have no lease to extend.
local lost = {}
for index = 2, #ARGV do
    if redis.call("ZSCORE", leases, ARGV[index]) then
        lease(ARGV[index], ARGV[1])
    else
        lost[#lost + 1] = ARGV[index]
    end
end
keep()
return lost
