-- Before each script. ARGV: a fresh identity, the server's run, the prefix of channels.
--
-- KEYS[1]                    identity of the log (id), last number
-- KEYS[1]:runs               runs of the server, newest first: run, number with which it began
-- KEYS[1]:marks              numbers by the time at which they were the last one
-- KEYS[1]:<id>:<channel>     a channel's messages; the id is the number
-- KEYS[1]:last:<id>:<channel>    a number that none of its messages is over
-- KEYS[1]:from:<id>:<origin>     the last sequence of who appends
local state, fresh, run, channels = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local function text(number)
    return string.format('%.0f', number)
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local held = redis.call('HMGET', state, 'id', 'number')
local id, number = held[1], tonumber(held[2] or '0')

-- The log becomes another, and every node is told.
local function renew()
    redis.call('DEL', state, state .. ':runs', state .. ':marks')
    id, number = fresh, 0
    redis.call('HSET', state, 'id', id, 'number', 0)
    redis.call('LPUSH', state .. ':runs', run .. ' 0')
    redis.call('ZADD', state .. ':marks', now, 0)
    redis.call('PUBLISH', channels .. 'renewed', id)
end

if not id then
    renew()
end

-- A number that was the last one so long ago, or later.
local function floor(window)
    local marks = redis.call('ZRANGEBYSCORE', state .. ':marks', now - window, '+inf', 'LIMIT', 0, 1)
    return marks[1] or text(number)
end
