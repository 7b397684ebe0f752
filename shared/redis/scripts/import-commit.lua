--[[
The upload is whole: from here on the import is worked.

KEYS  1 import  2 imports:open  3 imports:A  4 imports:A:open  5 active
ARGV  1 account id  2 import id  3 now ms  4 when the sweep looks for its engine job (ms)  5… field, value, …

returns {1, bell}    queued, with generation 1; bell = 1: the queue needs a worker
        {0, status}  not being received any more
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'gen')
if record[1] ~= 'receiving' then
  -- A connection that sends the script again.
  if record[1] and record[2] == '1' then return {1, 0} end
  return {0, record[1] or 'missing'}
end
redis.call('HSET', KEYS[1], 'status', 'queued', 'gen', 1, 'updated', ARGV[3], unpack(ARGV, 5))
redis.call('HINCRBY', KEYS[1], 'rev', 1)
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1] .. ' ' .. ARGV[2])
redis.call('ZADD', KEYS[3], 0, ARGV[2])
redis.call('SADD', KEYS[4], ARGV[2])
return {1, redis.call('ZADD', KEYS[5], 'LT', 'CH', ARGV[3], ARGV[1])}
