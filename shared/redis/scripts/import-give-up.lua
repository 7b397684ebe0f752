--[[
An upload will not be whole: nothing more of it is stored from here on. What there is of it is removed afterwards; until that is
done the sweep comes back to it.

KEYS  1 import  2 imports:open
ARGV  1 `account import`  2 now ms  3 when the sweep looks whether it was removed (ms)

returns {1}          given up, now or before
        {0, status}  it is whole, or removed ('missing')
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'body_hash')
local before = record[1] == 'failed' and (not record[2] or record[2] == '')
if record[1] ~= 'receiving' and not before then return {0, record[1] or 'missing'} end
redis.call('HSET', KEYS[1], 'status', 'failed', 'updated', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return {1}
