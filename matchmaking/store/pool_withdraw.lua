-- Let a user no longer wait; a call he is in goes on.
-- ARGV[1]  the user
-- Returns the moment.
if redis.call("SREM", waiting, ARGV[1]) == 1 then redis.call("ZREM", leases, ARGV[1]) end
return moment()
