-- KEYS: holders. ARGV: holder, ttl in ms. Returns 1 where it is inside, else 0. See ask.lua.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry then return 0 end
local token, slot, till = string.match(entry, '(%d+) (%d+) (%d+)')
if tonumber(till) <= now then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end
local ttl = tonumber(ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%s %s %.0f', token, slot, now + ttl * 1000))
if redis.call('PTTL', KEYS[1]) < ttl + 1000 then redis.call('PEXPIRE', KEYS[1], ttl + 1000) end
return 1
