--[[
Takes results of one chunk back, so that their rows are tried again. Rows whose result is no longer the one named stay.

KEYS  1 import  2 results:K
ARGV  1 status of the results (the counter)  2 lowest row  3 now ms  4… row in the chunk, result it has, result instead, …
      (instead: 'q' with the numbers of its last attempt and generation)

returns {n}  so many
]]
local taken = 0
for i = 4, #ARGV, 3 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2])
    taken = taken + 1
  end
end
if taken > 0 then
  redis.call('HINCRBY', KEYS[1], ARGV[1], -taken)
  redis.call('HINCRBY', KEYS[1], 'rev', 1)
  redis.call('HSET', KEYS[1], 'updated', ARGV[3])
  local next = tonumber(redis.call('HGET', KEYS[1], 'next') or '1')
  if tonumber(ARGV[2]) < next then redis.call('HSET', KEYS[1], 'next', ARGV[2]) end
end
return {taken}
