-- How a kept message is laid out, for scripts that read one. line.py says why this finds the server's own fields.

-- The createTime of a line; "" when it has none. Two steps, as one pattern for both takes twice as long.
local function created_in(line)
    local _, stop = string.find(line, '"createTime":"', 1, true)
    return stop and string.match(line, '^([^"]*)"', stop + 1) or ""
end

-- Whether a line is a message from this user.
local function is_from(line, user)
    local beginning = '{"type":"chat_message","fromUser":"' .. user .. '",'
    return string.sub(line, 1, #beginning) == beginning
end

-- The line as the recipient gets it and as the sender does: with `incoming` put in.
local function copies_of(line)
    local place = string.find(line, ',"payload":', 1, true)
    local before, behind = string.sub(line, 1, place - 1), string.sub(line, place)
    return before .. ',"incoming":true' .. behind, before .. ',"incoming":false' .. behind
end

