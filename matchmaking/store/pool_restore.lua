-- After an outage: what the process that holds a user's socket knows of him is so, whatever is written here.
-- ARGV[1]  the user
-- ARGV[2]  "waiting", "calling" or "gone"
-- ARGV[3]  whom he is in a call with, or ""; ARGV[4] "impolite" or "polite", or ""
-- ARGV[5]  until when his lease runs; ARGV[6] until when his peer may take to come back (seconds since 1970)
-- ARGV[7]  1 when the same process speaks for the peer
-- Returns {whom another call of his was with or "", 1, or 0 when the peer is no longer his, the moment}.
local user, doing, peer, role, speaks_for_peer = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[7] == "1"
local freed = ""
if peer_of(user) ~= peer then freed = part(user) end
local taken = peer_of(peer) ~= "" and peer_of(peer) ~= user
local waits = redis.call("SISMEMBER", waiting, peer) == 1 and not speaks_for_peer
if doing == "waiting" then
    redis.call("SADD", waiting, user)
    lease(user, ARGV[5])
    keep()
    return {freed, 1, moment()}
end
if doing == "gone" or taken or waits then
    redis.call("SREM", waiting, user)
    redis.call("ZREM", leases, user)
    return {freed, doing == "gone" and 1 or 0, moment()}
end
if role == "impolite" then connect(user, peer) else connect(peer, user) end
lease(user, ARGV[5])
redis.call("ZADD", leases, "NX", ARGV[6], peer)
keep()
return {freed, 1, moment()}
