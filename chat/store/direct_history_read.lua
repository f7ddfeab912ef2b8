-- A stretch of a conversation beside a moment.
-- KEYS[1]  the conversation (list of lines in the order of createTime)
-- ARGV[1]  "older" or "newer"
-- ARGV[2]  the moment (createTime); empty, with "older": the end
-- ARGV[3]  how many lines at most
-- ARGV[4]  the earliest createTime that has not expired
-- Returns two lists, oldest first: the lines of that very moment, and those beyond it.
local function moment(line) return string.match(line, '"createTime":"([^"]*)"') or "" end

-- The first index at which `reached(createTime)` holds.
local function search(reached)
    local low, high = 0, redis.call("LLEN", KEYS[1])
    while low < high do
        local middle = math.floor((low + high) / 2)
        if reached(moment(redis.call("LINDEX", KEYS[1], middle))) then high = middle else low = middle + 1 end
    end
    return low
end

local function lines(from, to)
    if from > to then return {} end
    return redis.call("LRANGE", KEYS[1], from, to)
end

local kept = search(function(time) return time >= ARGV[4] end)
local count = redis.call("LLEN", KEYS[1])
if ARGV[2] == "" then return {{}, lines(math.max(kept, count - ARGV[3]), count - 1)} end
local at = math.max(kept, search(function(time) return time >= ARGV[2] end))
local past = math.max(kept, search(function(time) return time > ARGV[2] end))
local beyond
if ARGV[1] == "older" then
    beyond = lines(math.max(kept, at - ARGV[3]), at - 1)
else
    beyond = lines(past, past + ARGV[3] - 1)
end
return {lines(at, past - 1), beyond}
