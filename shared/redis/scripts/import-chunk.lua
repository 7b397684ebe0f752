--[[
Stores the next rows of an import that is being received, with what is known to be wrong with some of them.

KEYS  1 import  2 rows:K  3 results:K  4 imports:open
ARGV  1 `account import`  2 now ms  3 when the sweep looks whether it was left behind (ms)  4 K  5 the rows
      6 rows stored so far, these included  7 how many of these failed  8… row in the chunk, result, …

returns {1}          stored (or it was, when a connection sends the script again)
        {0, status}  not being received any more
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'chunks')
if record[1] ~= 'receiving' then return {0, record[1] or 'missing'} end
if record[2] ~= ARGV[4] then return {1} end
redis.call('SET', KEYS[2], ARGV[5])
if #ARGV > 7 then redis.call('HSET', KEYS[3], unpack(ARGV, 8)) end
redis.call('HSET', KEYS[1], 'chunks', ARGV[4] + 1, 'total', ARGV[6], 'updated', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'failed', ARGV[7])
redis.call('HINCRBY', KEYS[1], 'rev', 1)
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
return {1}
