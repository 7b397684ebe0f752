--[[
Begins attempt n, durably, before any byte leaves: the record says who may send and until when.

KEYS  1 job  2 jobs:A, to which the status is added
      3 alike: who may make such a record (or the job key: the record will carry a marker)
ARGV  1 job id  2 generation  3 number the attempt must get  4 now ms  5 in-flight JSON (its token = the attempt number)
      6 attempt JSON  7 the account's held ms  8 ms to keep 3

returns {1, sequence}  go
        {0, status}    not this one: ended, another generation, or another attempt was begun meanwhile
        {-1}           an attempt is in flight: reconcile, never send
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'gen', 'n', 'sending', 'first_at', 'seq', 'next_at', 'wait_reason')
local status = record[1]
if not status then return {0, 'missing'} end
if status ~= 'queued' and status ~= 'waiting' and status ~= 'running' then return {0, status} end
if record[2] ~= ARGV[2] then return {0, 'superseded'} end
if record[4] and record[4] ~= '' then return {-1} end
if tonumber(record[3] or '0') + 1 ~= tonumber(ARGV[3]) then return {0, 'superseded'} end
-- One write: each of them is a command of its own in the log.
local sequence = tonumber(record[6])
local written = {'n', ARGV[3], 'sending', ARGV[5], 'a' .. ARGV[3], ARGV[6], 'updated', ARGV[4]}
local function write(field, value) written[#written + 1], written[#written + 2] = field, value end
if not record[5] or record[5] == '' then
  write('first_at', ARGV[4])
  write('held_base', ARGV[7])
end
if record[7] and record[7] ~= '' then write('next_at', '') end
if record[8] and record[8] ~= '' then write('wait_reason', '') end
if status ~= 'running' then
  sequence = sequence + 1
  write('status', 'running')
  write('seq', sequence)
  redis.call('ZREM', KEYS[2] .. ':' .. status, ARGV[1])
  redis.call('ZADD', KEYS[2] .. ':running', 0, ARGV[1])
end
redis.call('HSET', KEYS[1], unpack(written))
-- The newest fifty are shown; a job limited for days makes hundreds.
if tonumber(ARGV[3]) > 50 then redis.call('HDEL', KEYS[1], 'a' .. (tonumber(ARGV[3]) - 50)) end
if KEYS[3] ~= KEYS[1] then
  redis.call('SADD', KEYS[3], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[8])
end
return {1, sequence}
