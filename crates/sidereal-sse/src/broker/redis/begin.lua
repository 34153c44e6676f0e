-- A node has connected. ARGV: … the log that it has seen last, the server's run then, the highest
-- number.
local seen_id, seen_run, seen = ARGV[4], ARGV[5], tonumber(ARGV[6])

if id == seen_id then
    local is_lost = number < seen
    for _, line in ipairs(redis.call('LRANGE', state .. ':runs', 0, -1)) do
        local one, began = string.match(line, '^(%S*) (%d+)$')
        if one == seen_run then
            break
        end
        -- The server began again with less than that.
        is_lost = is_lost or tonumber(began or '0') < seen
    end
    if is_lost then
        renew()
    end
end

local newest = redis.call('LINDEX', state .. ':runs', 0)
if string.match(newest or '', '^%S*') ~= run then
    redis.call('LPUSH', state .. ':runs', run .. ' ' .. text(number))
    redis.call('LTRIM', state .. ':runs', 0, 99)
end
return id
