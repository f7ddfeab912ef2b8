-- Add to totals.
-- KEYS[1]   the totals (hash: what is counted → how often)
-- ARGV[1]   milliseconds until they may go
-- ARGV[2..] by turns what is counted and how much it has grown
-- Returns nothing.
for index = 2, #ARGV, 2 do redis.call("HINCRBY", KEYS[1], ARGV[index], ARGV[index + 1]) end
redis.call("PEXPIRE", KEYS[1], ARGV[1])
