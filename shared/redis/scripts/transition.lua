--[[
Moves a job to another status (or writes into it without moving), by compare-and-set along the transition table.

KEYS  1 job  2 claim of the remote id ('' claims nothing: then the job key)  3 idempotency key (or the job key)
      4 open  5 active  6 jobs:A, to which the status is added (succeeded has no such key)
      7 event:J, to which the sequence is added  8 outbox
      9 alike: the job knows its record now and leaves it (or the job key)
      10, 11 claims of ended rows of imports, this period's and the last one's (or the job key)
ARGV  1 JSON, of which all after `channel` may be missing:
        account, job   their ids
        to, from  status to move to; allowed present ones as ',a,b,'
        now, keep, look   now, retention (ms), when the orphan sweep looks next (ms)
        channel   told of the change
        attempt   must be the last
        generation   must be current
        idle      nothing may be in flight
        unsent    no outcome of an earlier send may be unknown
        again     gets the next generation
        claim, claim_field   a remote id is to be claimed; its field in KEYS 10, 11 (hexadecimal)
        event_ms  how long to keep the event of this transition; missing: nobody listens
      2… field, value, …

returns {1, sequence, generation, event}  done; event = 1: it stands in the outbox
        {0, status}                not allowed from this status ('missing' when there is no record)
        {-1, n}                    fenced: a later attempt or generation exists, or an attempt is in flight
        {-2, job id}               the remote id is claimed by another job
]]
local move = cjson.decode(ARGV[1])
local record = redis.call('HMGET', KEYS[1], 'status', 'n', 'gen', 'sending', 'seq', 'unknown')
local from, to = record[1], move.to
if not from then return {0, 'missing'} end
if not string.find(move.from, ',' .. from .. ',', 1, true) then return {0, from} end
if move.attempt and tonumber(record[2] or '0') ~= move.attempt then return {-1, tonumber(record[2] or '0')} end
if move.generation and tonumber(record[3]) ~= move.generation then return {-1, tonumber(record[2] or '0')} end
if move.unsent and record[6] and record[6] ~= '' and record[6] ~= '[]' then return {-1, tonumber(record[2] or '0')} end
if move.idle and record[4] and record[4] ~= '' then return {-1, tonumber(record[2] or '0')} end
local now, ended = move.now, to == 'succeeded' or to == 'failed' or to == 'cancelled'
if move.claim then
  local owner = redis.call('GET', KEYS[2])
  if not owner and redis.call('EXISTS', KEYS[10], KEYS[11]) > 0 then
    local field = string.gsub(move.claim_field, '%x%x', function (hex) return string.char(tonumber(hex, 16)) end)
    owner = redis.call('HGET', KEYS[10], field) or redis.call('HGET', KEYS[11], field)
  end
  if owner and owner ~= move.job then return {-2, owner} end
  redis.call('SET', KEYS[2], move.job, 'PX', move.keep)
end
local sequence = tonumber(record[5])
if from ~= to then
  if from ~= 'succeeded' then redis.call('ZREM', KEYS[6] .. ':' .. from, move.job) end
  if to ~= 'succeeded' then redis.call('ZADD', KEYS[6] .. ':' .. to, 0, move.job) end
  sequence = sequence + 1
end
local written = {'status', to, 'updated', now, 'seq', sequence, unpack(ARGV, 2)}
if ended then written[#written + 1], written[#written + 2] = 'finished', now end
redis.call('HSET', KEYS[1], unpack(written))
local generation = tonumber(record[3])
if move.again then generation = redis.call('HINCRBY', KEYS[1], 'gen', 1) end
local member = move.account .. ' ' .. move.job
if ended then
  redis.call('ZREM', KEYS[4], member)
  redis.call('PEXPIRE', KEYS[1], move.keep)
  if KEYS[3] ~= KEYS[1] then redis.call('PEXPIRE', KEYS[3], move.keep) end
else
  if from == 'succeeded' or from == 'failed' or from == 'cancelled' then
    redis.call('HDEL', KEYS[1], 'finished')
    redis.call('PERSIST', KEYS[1])
    if KEYS[3] ~= KEYS[1] then redis.call('PERSIST', KEYS[3]) end
  end
  if to == 'needs_review' then redis.call('ZREM', KEYS[4], member)
  else redis.call('ZADD', KEYS[4], move.look, member) end
  if to == 'queued' then redis.call('ZADD', KEYS[5], 'LT', now, move.account) end
end
if KEYS[9] ~= KEYS[1] then redis.call('SREM', KEYS[9], move.job) end
local event = 0
if from ~= to then
  redis.call('PUBLISH', move.channel, to)
  if move.event_ms then
    -- The job as it is now, whatever becomes of it before somebody is told.
    local copy = KEYS[7] .. '.' .. sequence
    redis.call('COPY', KEYS[1], copy, 'REPLACE')
    redis.call('PEXPIRE', copy, move.event_ms)
    redis.call('ZADD', KEYS[8], now, move.job .. '.' .. sequence)
    event = 1
  end
end
return {1, sequence, generation, event}
