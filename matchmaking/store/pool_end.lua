-- End the call between two users.
-- ARGV[1], ARGV[2]  the two
-- Returns the moment, or 0 when there is none.
if peer_of(ARGV[1]) ~= ARGV[2] then return 0 end
part(ARGV[1])
return moment()
