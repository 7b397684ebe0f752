--[[
Makes the job of one row, if the row is still to be begun. Made twice is made once: its id follows from import and row.

KEYS  1 import  2 results:K  3 window  4 job  5 jobs:A  6 jobs:A:queued  7 open  8 dedupe:A:BUCKET (or the import)
      9 batches  10 bulk
ARGV  1 account id  2 job id  3 row in the chunk  4 row  5 now ms  6 when the orphan sweep looks (ms)
      7 dedupe key, '' = none  8 this row as owner of the key  9 owner that is gone, whose key may be taken, '' = none
      10 ms to keep the bucket  11 the chunk whose batch held it ('' = none): made whatever the import's state, and leaves the batch
      12… field, value, … of the record

returns {1}           made
        {0, status}   the job exists already, in this status
        {2, owner}    the key is another row's, in hexadecimal: nothing was made
        {3}           the row has its result
        {-1, status}  the import begins no rows now
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'stop')
if not record[1] then return {-1, 'missing'} end
local begins = (record[1] == 'queued' or record[1] == 'running') and (not record[2] or record[2] == '')
if not begins and ARGV[11] == '' then return {-1, record[1]} end
local result = redis.call('HGET', KEYS[2], ARGV[3])
-- q: it had one, and is to be tried again.
local function leave() leave_batch({ KEYS[1], KEYS[9], KEYS[10] }, { ARGV[11], ARGV[4] }) end
if result and string.sub(result, 1, 1) ~= 'q' then
  leave()
  return {3}
end
if ARGV[7] ~= '' then
  local owner = take_dedupe_key({ KEYS[8] }, { ARGV[7], ARGV[8], ARGV[9], ARGV[10] })
  if owner then return {2, owner} end
end
redis.call('HINCRBY', KEYS[1], 'rev', 1)
if record[1] == 'queued' then
  redis.call('HSET', KEYS[1], 'status', 'running', 'updated', ARGV[5])
  redis.call('HSETNX', KEYS[1], 'started', ARGV[5])
end
if result then redis.call('HDEL', KEYS[2], ARGV[3]) end
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[4])
leave()
local status = redis.call('HGET', KEYS[4], 'status')
if status then return {0, status} end
redis.call('HSET', KEYS[4], unpack(ARGV, 12))
redis.call('ZADD', KEYS[5], 0, ARGV[2])
redis.call('ZADD', KEYS[6], 0, ARGV[2])
redis.call('ZADD', KEYS[7], ARGV[6], ARGV[1] .. ' ' .. ARGV[2])
return {1}
