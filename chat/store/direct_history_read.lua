-- A stretch of a conversation beside a moment.
-- KEYS[1]  the conversation (list of lines in the order of createTime)
-- ARGV[1]  "older" or "newer"
-- ARGV[2]  the moment (createTime); empty, with "older": the end
-- ARGV[3]  how many lines at most
-- ARGV[4]  the earliest createTime that has not expired
-- Returns two lists, oldest first: the lines of that very moment, and those beyond it.
local conversation = KEYS[1]
local direction, moment, most, oldest = unpack(ARGV)

-- The first index at which `reached(createTime)` holds.
local function search(reached)
    local low, high = 0, redis.call("LLEN", conversation)
    while low < high do
        local middle = math.floor((low + high) / 2)
        if reached(created_in(redis.call("LINDEX", conversation, middle))) then
            high = middle
        else
            low = middle + 1
        end
    end
    return low
end

local function lines(from, to)
    if from > to then return {} end
    return redis.call("LRANGE", conversation, from, to)
end

local kept = search(function(time) return time >= oldest end)
local count = redis.call("LLEN", conversation)
if moment == "" then return {{}, lines(math.max(kept, count - most), count - 1)} end
local at = math.max(kept, search(function(time) return time >= moment end))
local past = math.max(kept, search(function(time) return time > moment end))
local beyond
if direction == "older" then
    beyond = lines(math.max(kept, at - most), at - 1)
else
    beyond = lines(past, past + most - 1)
end
return {lines(at, past - 1), beyond}
