-- The steps of core/lease_table.py. KEYS: last token, holders, line, places. ARGV: holder, permits, ttl in ms, waits (0 or 1),
-- place in ms. Returns {token, slot} with the token as a string, or {place}.
-- holders: holder -> "token slot until"; line: holder by number; places: holder -> until. Times: the server's, in microseconds.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local holder, permits, ttl, place_ttl = ARGV[1], tonumber(ARGV[2]), ARGV[3] * 1000, ARGV[5] * 1000

local taken, inside = {}, 0
local found
local entries = redis.call('HGETALL', KEYS[2])
for i = 1, #entries, 2 do
  local token, slot, till = string.match(entries[i + 1], '(%d+) (%d+) (%d+)')
  if tonumber(till) <= now then
    redis.call('HDEL', KEYS[2], entries[i])
  else
    inside = inside + 1
    taken[tonumber(slot)] = true
    if entries[i] == holder then found = {token, slot} end
  end
end

-- A key lives at least as long as the last entry in it, so that names no longer in use vanish. The last token stays for ever.
local function keep(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end

local function let_in(token, slot)
  redis.call('HSET', KEYS[2], holder, string.format('%s %d %.0f', token, slot, now + ttl))
  keep(KEYS[2], math.ceil(ttl / 1000) + 1000)
  return {token, tonumber(slot)}
end

if found then return let_in(found[1], found[2]) end

local place, mine = 0, nil
for _, other in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local till = tonumber(redis.call('HGET', KEYS[4], other) or '0')
  if till <= now then
    redis.call('ZREM', KEYS[3], other)
    redis.call('HDEL', KEYS[4], other)
  elseif other == holder then
    mine = till
  elseif not mine then
    place = place + 1
  end
end

if place < permits - inside then
  redis.call('ZREM', KEYS[3], holder)
  redis.call('HDEL', KEYS[4], holder)
  local token = math.max((tonumber(redis.call('GET', KEYS[1]) or '0')) + 1, now)
  token = string.format('%.0f', token)
  redis.call('SET', KEYS[1], token)
  local slot = 0
  while taken[slot] do slot = slot + 1 end
  return let_in(token, slot)
end

if ARGV[4] == '1' and (mine or now) - now < place_ttl / 2 then
  if not mine then
    local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
    redis.call('ZADD', KEYS[3], (last[2] and tonumber(last[2]) or 0) + 1, holder)
  end
  redis.call('HSET', KEYS[4], holder, string.format('%.0f', now + place_ttl))
  local ms = math.ceil(place_ttl / 1000) + 1000
  keep(KEYS[3], ms)
  keep(KEYS[4], ms)
end
return {place}
