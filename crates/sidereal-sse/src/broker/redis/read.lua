-- The last messages of a channel, newest first, or some of them where they are many bytes. ARGV: …
-- channel, after which number, how many at most, from where on backwards, for how long last numbers
-- are kept.
local channel, after, most = ARGV[4], ARGV[5], tonumber(ARGV[6])
local from, window = ARGV[7], tonumber(ARGV[8])

local key = state .. ':' .. id .. ':' .. channel
local last = state .. ':last:' .. id .. ':' .. channel
local known = redis.call('GET', last)
if known then
    redis.pcall('PEXPIRE', last, window)
else
    known = floor(window)
    if redis.call('EXISTS', key) == 0 then
        -- What comes after this is not missed by who reads now.
        redis.pcall('SET', last, known, 'PX', window)
    end
end

local entries, count, bytes, some = {}, 0, 0, 1
local before, is_all = '0', false
while count < most and bytes < 262144 do
    local limit = math.min(some, most - count)
    local found = redis.call('XREVRANGE', key, from, '(' .. after, 'COUNT', limit)
    for _, entry in ipairs(found) do
        local fields = entry[2]
        if fields[1] == 'b' and fields[3] == 'p' then
            table.insert(entries, entry[1])
            table.insert(entries, fields[4])
            before = fields[2]
            bytes = bytes + #fields[4]
        end
        from = '(' .. entry[1]
    end
    count = count + #found
    some = math.min(some * 2, 64)
    if #found < limit then
        is_all = true
        break
    end
end
is_all = is_all or count >= most
return { id, known, before, is_all and 1 or 0, from, count, entries }
