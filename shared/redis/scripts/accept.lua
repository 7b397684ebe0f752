--[[
Accepts one create: idempotency key, record, indexes and the bell in one step. Nothing is written unless it returns 1.

KEYS  1 account  2 idempotency key (or the job key when there is none)  3 job  4 jobs:A  5 jobs:A:queued
      6 jobs:A:running  7 jobs:A:waiting  8 open  9 active  10 gate
ARGV  1 account id  2 job id  3 now ms  4 fingerprint, '' = no idempotency key  5 open jobs allowed
      6 when the orphan sweep looks first (ms)  7 channel told when bulk work may hold the account's messages under way
      8… field, value, … of the record

returns {1, bell}     accepted; bell = 1: the queue needs a worker
        {0, job id}   the same request was accepted before; this very job, when a connection sends the script again
                      after a reconnect
        {-404}        no such account, or it is being deleted
        {-422, job id} the key belongs to another request
        {-429, open}  too many open jobs
]]
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'deleting' then return {-404} end
if ARGV[4] ~= '' then
  local previous = redis.call('GET', KEYS[2])
  if previous then
    local fingerprint, job = string.match(previous, '^(%S+) (%S+)$')
    if fingerprint == ARGV[4] then return {0, job} end
    return {-422, job}
  end
end
if redis.call('EXISTS', KEYS[3]) == 1 then return {0, ARGV[2]} end
local open = redis.call('ZCARD', KEYS[5]) + redis.call('ZCARD', KEYS[6]) + redis.call('ZCARD', KEYS[7])
if open >= tonumber(ARGV[5]) then return {-429, open} end
redis.call('HSET', KEYS[3], unpack(ARGV, 8))
if ARGV[4] ~= '' then redis.call('SET', KEYS[2], ARGV[4] .. ' ' .. ARGV[2]) end
redis.call('ZADD', KEYS[4], 0, ARGV[2])
redis.call('ZADD', KEYS[5], 0, ARGV[2])
redis.call('ZADD', KEYS[8], ARGV[6], ARGV[1] .. ' ' .. ARGV[2])
-- Bulk work had a slot not long ago.
if tonumber(redis.call('HGET', KEYS[10], 'bulk_at') or '0') > tonumber(ARGV[3]) - 2000 then redis.call('PUBLISH', ARGV[7], ARGV[1]) end
return {1, redis.call('ZADD', KEYS[9], 'LT', 'CH', ARGV[3], ARGV[1])}
