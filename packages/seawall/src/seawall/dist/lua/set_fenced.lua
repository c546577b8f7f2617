-- KEYS: value, its fence. ARGV: value, token. Returns the newest token where that one is above ARGV's, else nothing.
local newest = redis.call('GET', KEYS[2])
if newest and tonumber(newest) > tonumber(ARGV[2]) then return newest end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], ARGV[1])
return false
