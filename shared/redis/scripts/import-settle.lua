--[[
Writes the result of one row and counts it. A row that was a job gives its record up, unless it is to be kept.

KEYS  1 import  2 results:K  3 window  4 job (or the import)  5 jobs:A  6 jobs:A:failed  7 jobs:A:cancelled
      8 dedupe:A:BUCKET (or the import)  9 batches  10 bulk
      11 claim of the row's remote id  12 claims of ended rows (or the import)
ARGV  1 job id  2 row in the chunk  3 row  4 status of the result (the counter)  5 result  6 now ms
      7 status the job must have, '' = it never was one  8 '1' = its record is kept
      9 dedupe key to free, '' = none  10 this row as owner of the key
      11 the batch that held it: a chunk, or 'bulk' ('' = none)
      12 field of the remote id in 12, '' = none  13 ms to keep it

returns {1}          written
        {0, why}     known (it has its result), or the job's status
]]
local result = redis.call('HGET', KEYS[2], ARGV[2])
if result and string.sub(result, 1, 1) ~= 'q' then
  redis.call('ZREM', KEYS[3], ARGV[3])
  if ARGV[11] ~= 'bulk' then leave_batch({ KEYS[1], KEYS[9], KEYS[10] }, { ARGV[11], ARGV[3] }) end
  return {0, 'known'}
end
if ARGV[7] ~= '' then
  local status = redis.call('HGET', KEYS[4], 'status')
  if status ~= ARGV[7] then return {0, status or 'missing'} end
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[5])
redis.call('HINCRBY', KEYS[1], ARGV[4], 1)
redis.call('HINCRBY', KEYS[1], 'rev', 1)
redis.call('HSET', KEYS[1], 'updated', ARGV[6])
redis.call('ZREM', KEYS[3], ARGV[3])
leave_batch({ KEYS[1], KEYS[9], KEYS[10] }, { ARGV[11], ARGV[3] })
if ARGV[7] ~= '' and ARGV[8] ~= '1' then
  redis.call('DEL', KEYS[4])
  redis.call('ZREM', KEYS[5], ARGV[1])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[7], ARGV[1])
  if ARGV[12] ~= '' and redis.call('GET', KEYS[11]) == ARGV[1] then
    redis.call('DEL', KEYS[11])
    redis.call('HSET', KEYS[12], ARGV[12], ARGV[1])
    redis.call('PEXPIRE', KEYS[12], ARGV[13])
  end
end
if ARGV[9] ~= '' and redis.call('HGET', KEYS[8], ARGV[9]) == ARGV[10] then redis.call('HDEL', KEYS[8], ARGV[9]) end
return {1}
