-- Add to totals.
-- KEYS[1]   the totals (hash: what is counted → how often)
-- ARGV[1]   milliseconds until they may go
-- ARGV[2..] by turns what is counted and how much it has grown
-- Returns nothing.
local totals, ttl = KEYS[1], ARGV[1]

for index = 2, #ARGV, 2 do
    local field, growth = ARGV[index], ARGV[index + 1]
    redis.call("HINCRBY", totals, field, growth)
end
redis.call("PEXPIRE", totals, ttl)
