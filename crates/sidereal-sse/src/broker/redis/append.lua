-- Messages for the log. ARGV: … the log that the node has seen and the highest number, for how long
-- messages are kept and for how long last numbers are, in milliseconds; then of each message
-- channel, origin, sequence, how many to keep, payload.
local seen_id, seen, keep_for, window = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local first = 8
local count = (#ARGV - first + 1) / 5

if id == seen_id and number < seen then
    renew()
end

local marks = state .. ':marks'
local newest = redis.call('ZREVRANGE', marks, 0, 0, 'WITHSCORES')
if now - tonumber(newest[2] or '0') >= window / 8 then
    redis.call('ZADD', marks, now, text(number))
    redis.call('ZREMRANGEBYSCORE', marks, '-inf', now - window)
end
-- Whatever stands against it stands against all of them, and from here on nothing does. Numbers need
-- not be without holes.
redis.call('HSET', state, 'number', text(number + count))

local results, sequences = {}, {}
for index = 1, count do
    local at = first + (index - 1) * 5
    local channel, origin, sequence = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
    local from = state .. ':from:' .. id .. ':' .. origin
    sequences[from] = sequences[from] or tonumber(redis.call('GET', from) or '0')
    if sequence <= sequences[from] then
        results[index] = 0
    else
        number = number + 1
        local place = text(number)
        local key = state .. ':' .. id .. ':' .. channel
        local last = state .. ':last:' .. id .. ':' .. channel
        local known = redis.call('GET', last)
        local before = known or floor(window)
        local payload = ARGV[at + 4]
        local added = redis.pcall('XADD', key, 'MAXLEN', ARGV[at + 3], place .. '-0', 'b', before, 'p', payload)
        if type(added) == 'table' and added.err then
            results[index] = added.err
        else
            results[index] = number
            sequences[from] = sequence
            redis.call('PEXPIRE', key, keep_for)
            redis.call('SET', last, place, 'PX', window)
            local head = struct.pack('>I4I8I8', tonumber(id), number, tonumber(known or '0'))
            redis.call('PUBLISH', channels .. 'live:' .. channel, head .. payload)
        end
    end
end
for from, sequence in pairs(sequences) do
    redis.call('SET', from, text(sequence), 'PX', window)
end
return { id, results }
