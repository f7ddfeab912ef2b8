-- After an outage: what the process that holds a user's socket knows of the user is so, whatever is written here.
-- ARGV[1]  the user
-- ARGV[2]  "waiting", "calling" or "gone"
-- ARGV[3]  whom the user is in a call with, or ""; ARGV[4] "impolite" or "polite", or ""
-- ARGV[5]  until when the user's lease runs; ARGV[6] until when the peer may come back (seconds since 1970)
-- ARGV[7]  1 when the same process speaks for the peer
-- Returns {whom another call of the user was with or "", 1, or 0 when the peer is no longer the user's, the moment}.
local user, doing, peer, role, lease_until, hold_until, speaks_for_peer = unpack(ARGV)

local freed = ""
if peer_of(user) ~= peer then freed = part(user) end
local taken = peer_of(peer) ~= "" and peer_of(peer) ~= user
local waits = redis.call("SISMEMBER", waiting, peer) == 1 and speaks_for_peer ~= "1"
if doing == "waiting" then
    redis.call("SADD", waiting, user)
    lease(user, lease_until)
    keep()
    return {freed, 1, moment()}
end
if doing == "gone" or taken or waits then
    redis.call("SREM", waiting, user)
    redis.call("ZREM", leases, user)
    return {freed, doing == "gone" and 1 or 0, moment()}
end
if role == "impolite" then connect(user, peer) else connect(peer, user) end
lease(user, lease_until)
redis.call("ZADD", leases, "NX", hold_until, peer)
keep()
return {freed, 1, moment()}
