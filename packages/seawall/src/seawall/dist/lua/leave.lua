-- KEYS: holders, line, places. ARGV: holder. Returns 1 where it was inside, else 0. See ask.lua.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
if tonumber(string.match(entry, '%d+ %d+ (%d+)')) <= now then return 0 end
return 1
