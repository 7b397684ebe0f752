--[[
Moves a job to another status (or writes into it without moving), by compare-and-set along the transition table.

KEYS  1 job  2 claim of the remote id ('' claims nothing: then the job key)  3 idempotency key (or the job key)
      4 open  5 active  6 jobs:A, to which the status is added (succeeded has no such key)
      7 event:J, to which the sequence is added  8 outbox
      9 alike: the job knows its record now and leaves it (or the job key)
      10, 11 claims of ended rows of imports, this period's and the last one's (or the job key)
ARGV  1 account id  2 job id  3 to  4 allowed froms as ',a,b,'  5 attempt number that must be the last, '' = any
      6 generation that must be current, '' = any  7 now ms  8 retention ms  9 when the orphan sweep looks next (ms)
      10 remote id to claim, '' = none  11 channel told of the change  12 'new' = next generation  13 '1' = in flight must be empty
      14 ms to keep the event of this transition, '' = nobody listens
      15 field of the remote id in 10, 11 (hexadecimal)  16… field, value, …

returns {1, sequence, generation, event}  done; event = 1: it stands in the outbox
        {0, status}                not allowed from this status ('missing' when there is no record)
        {-1, n}                    fenced: a later attempt or generation exists, or an attempt is in flight
        {-2, job id}               the remote id is claimed by another job
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'n', 'gen', 'sending', 'seq')
local from, to = record[1], ARGV[3]
if not from then return {0, 'missing'} end
if not string.find(ARGV[4], ',' .. from .. ',', 1, true) then return {0, from} end
if ARGV[5] ~= '' and (record[2] or '0') ~= ARGV[5] then return {-1, tonumber(record[2] or '0')} end
if ARGV[6] ~= '' and record[3] ~= ARGV[6] then return {-1, tonumber(record[2] or '0')} end
if ARGV[13] == '1' and record[4] and record[4] ~= '' then return {-1, tonumber(record[2] or '0')} end
local now, ended = ARGV[7], to == 'succeeded' or to == 'failed' or to == 'cancelled'
if ARGV[10] ~= '' then
  local owner = redis.call('GET', KEYS[2])
  if not owner and redis.call('EXISTS', KEYS[10], KEYS[11]) > 0 then
    local field = string.gsub(ARGV[15], '%x%x', function (hex) return string.char(tonumber(hex, 16)) end)
    owner = redis.call('HGET', KEYS[10], field) or redis.call('HGET', KEYS[11], field)
  end
  if owner and owner ~= ARGV[2] then return {-2, owner} end
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[8])
end
local sequence = tonumber(record[5])
if from ~= to then
  if from ~= 'succeeded' then redis.call('ZREM', KEYS[6] .. ':' .. from, ARGV[2]) end
  if to ~= 'succeeded' then redis.call('ZADD', KEYS[6] .. ':' .. to, 0, ARGV[2]) end
  sequence = sequence + 1
end
local written = {'status', to, 'updated', now, 'seq', sequence, unpack(ARGV, 16)}
if ended then written[#written + 1], written[#written + 2] = 'finished', now end
redis.call('HSET', KEYS[1], unpack(written))
local generation = tonumber(record[3])
if ARGV[12] == 'new' then generation = redis.call('HINCRBY', KEYS[1], 'gen', 1) end
local member = ARGV[1] .. ' ' .. ARGV[2]
if ended then
  redis.call('ZREM', KEYS[4], member)
  redis.call('PEXPIRE', KEYS[1], ARGV[8])
  if KEYS[3] ~= KEYS[1] then redis.call('PEXPIRE', KEYS[3], ARGV[8]) end
else
  if from == 'succeeded' or from == 'failed' or from == 'cancelled' then
    redis.call('HDEL', KEYS[1], 'finished')
    redis.call('PERSIST', KEYS[1])
    if KEYS[3] ~= KEYS[1] then redis.call('PERSIST', KEYS[3]) end
  end
  if to == 'needs_review' then redis.call('ZREM', KEYS[4], member)
  else redis.call('ZADD', KEYS[4], ARGV[9], member) end
  if to == 'queued' then redis.call('ZADD', KEYS[5], 'LT', now, ARGV[1]) end
end
if KEYS[9] ~= KEYS[1] then redis.call('SREM', KEYS[9], ARGV[2]) end
local event = 0
if from ~= to then
  redis.call('PUBLISH', ARGV[11], to)
  if ARGV[14] ~= '' then
    -- The job as it is now, whatever becomes of it before somebody is told.
    local copy = KEYS[7] .. '.' .. sequence
    redis.call('COPY', KEYS[1], copy, 'REPLACE')
    redis.call('PEXPIRE', copy, ARGV[14])
    redis.call('ZADD', KEYS[8], now, ARGV[2] .. '.' .. sequence)
    event = 1
  end
end
return {1, sequence, generation, event}
