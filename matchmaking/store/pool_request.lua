-- Pair the user who asks with a random one who waits, else let him wait. One in a call keeps it, unless he skips it.
-- ARGV[1]  who asks; ARGV[2] whom he skips, or ""
-- ARGV[3]  the time now; ARGV[4] until when his lease runs (seconds since 1970)
-- Returns {peer or "", role or "", whom the skip has left alone or "", 1 when the pair is new, the moment}.
local user, skipped, now, lease_until = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
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
