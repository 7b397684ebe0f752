--[[
Unmakes the job of a row whose first attempt has not begun: the row is as if it had never been looked at, or cancelled.

KEYS  1 import  2 results:K  3 window  4 job  5 jobs:A  6 jobs:A:queued  7 jobs:A:waiting  8 open
      9 dedupe:A:BUCKET (or the import)
ARGV  1 account id  2 job id  3 row in the chunk  4 row  5 now ms  6 result, '' = it is given back
      7 dedupe key to free, '' = none  8 this row as owner of the key  9 its generation

returns {1}          unmade
        {0, status}  it has begun, or ended ('missing': no record)
]]
local record = redis.call('HMGET', KEYS[4], 'status', 'n', 'sending', 'unknown', 'first_n', 'seq')
local status = record[1]
if not status then return {0, 'missing'} end
if status ~= 'queued' and status ~= 'waiting' then return {0, status} end
-- first_n: attempts of an earlier life of the row, whose record is gone.
if (record[2] or '0') ~= (record[5] or '0') or (record[3] and record[3] ~= '') then return {0, status} end
if record[4] and record[4] ~= '' and record[4] ~= '[]' then return {0, status} end
redis.call('DEL', KEYS[4])
for i = 5, 7 do redis.call('ZREM', KEYS[i], ARGV[2]) end
redis.call('ZREM', KEYS[8], ARGV[1] .. ' ' .. ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[4])
if ARGV[7] ~= '' and redis.call('HGET', KEYS[9], ARGV[7]) == ARGV[8] then redis.call('HDEL', KEYS[9], ARGV[7]) end
redis.call('HINCRBY', KEYS[1], 'rev', 1)
redis.call('HSET', KEYS[1], 'updated', ARGV[5])
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[3], ARGV[6])
  redis.call('HINCRBY', KEYS[1], 'cancelled', 1)
else
  -- With its numbers: another run may still hold a message of this life.
  redis.call('HSET', KEYS[2], ARGV[3], 'q[' .. (record[2] or '0') .. ',' .. ARGV[9] .. ',' .. (record[6] or '0') .. ']')
  local next = tonumber(redis.call('HGET', KEYS[1], 'next') or '1')
  if tonumber(ARGV[4]) < next then redis.call('HSET', KEYS[1], 'next', ARGV[4]) end
end
return {1}
