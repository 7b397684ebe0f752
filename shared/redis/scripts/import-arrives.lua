--[[
Says that an import is still being received, though no chunk of it is full yet.

KEYS  1 import  2 imports:open
ARGV  1 `account import`  2 now ms  3 when the sweep looks whether it was left behind (ms)

returns {1}          noted
        {0, status}  not being received any more
]]
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'receiving' then return {0, status or 'missing'} end
redis.call('HSET', KEYS[1], 'updated', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return {1}
