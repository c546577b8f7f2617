-- The steps of core/rate.py. KEYS: when the bucket is full again, in seconds. ARGV: rate, burst, cost. Returns the wait in s.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + clock[2] / 1000000
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
full_at = math.min(math.max(full_at, now), now + burst / rate)
local over = full_at + cost / rate - (now + burst / rate)
if over <= 1e-6 then
  full_at = full_at + cost / rate
  over = 0
  -- Full by then, and so the same as a bucket that is not there.
  redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000) + 1)
end
return string.format('%.9f', over)
