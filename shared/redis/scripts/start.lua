--[[
Begins attempt n, durably, before any byte leaves: the record says who may send and until when.

KEYS  1 job  2 jobs:A:queued  3 jobs:A:waiting  4 jobs:A:running
      5 alike: who may make such a record (or the job key: the record will carry a marker)
ARGV  1 job id  2 generation  3 number the attempt must get  4 now ms  5 in-flight JSON (its token = the attempt number)
      6 attempt JSON  7 the account's held ms  8 ms to keep 5

returns {1, sequence}  go
        {0, status}    not this one: ended, another generation, or another attempt was begun meanwhile
        {-1}           an attempt is in flight: reconcile, never send
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'gen', 'n', 'sending', 'first_at')
local status = record[1]
if not status then return {0, 'missing'} end
if status ~= 'queued' and status ~= 'waiting' and status ~= 'running' then return {0, status} end
if record[2] ~= ARGV[2] then return {0, 'superseded'} end
if record[4] and record[4] ~= '' then return {-1} end
if tonumber(record[3] or '0') + 1 ~= tonumber(ARGV[3]) then return {0, 'superseded'} end
if not record[5] or record[5] == '' then redis.call('HSET', KEYS[1], 'first_at', ARGV[4], 'held_base', ARGV[7]) end
redis.call('HSET', KEYS[1], 'n', ARGV[3], 'sending', ARGV[5], 'a' .. ARGV[3], ARGV[6], 'status', 'running', 'updated', ARGV[4], 'next_at', '', 'wait_reason', '')
-- The newest fifty are shown; a job limited for days makes hundreds.
redis.call('HDEL', KEYS[1], 'a' .. (tonumber(ARGV[3]) - 50))
if KEYS[5] ~= KEYS[1] then
  redis.call('SADD', KEYS[5], ARGV[1])
  redis.call('PEXPIRE', KEYS[5], ARGV[8])
end
if status == 'running' then return {1, tonumber(redis.call('HGET', KEYS[1], 'seq'))} end
redis.call('ZREM', status == 'queued' and KEYS[2] or KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], 0, ARGV[1])
return {1, redis.call('HINCRBY', KEYS[1], 'seq', 1)}
