-- Pair the user who asks with a random one who waits. When nobody suitable waits, the user waits.
-- A user in a call keeps it, unless the request skips the peer.
-- ARGV[1]  the user who asks; ARGV[2] whom the user skips, or ""
-- ARGV[3]  the time now; ARGV[4] until when the user's lease runs (seconds since 1970)
-- Returns {peer or "", role or "", whom the skip has left alone or "", 1 when the pair is new, the moment}.
local user, skipped, now, lease_until = unpack(ARGV)
now = tonumber(now)

local peer, freed = peer_of(user), ""
if peer ~= "" and peer ~= skipped then
    lease(user, lease_until)
    keep()
    return {peer, role_of(user), "", 0, moment()}
end
if peer ~= "" then freed = part(user) end

redis.call("SREM", waiting, user)
local passed_over = false
local chosen = redis.call("SPOP", waiting)
while chosen do
    local alive = tonumber(redis.call("ZSCORE", leases, chosen) or 0) > now
    if not alive then
        redis.call("ZREM", leases, chosen)
    elseif chosen == skipped then
        passed_over = true
    else
        break
    end
    chosen = redis.call("SPOP", waiting)
end
if passed_over then redis.call("SADD", waiting, skipped) end

lease(user, lease_until)
if chosen then connect(user, chosen) else redis.call("SADD", waiting, user) end
keep()
return {chosen or "", chosen and "impolite" or "", freed, chosen and 1 or 0, moment()}
