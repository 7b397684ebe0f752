--[[
Sets a delivery going anew, in a new round: by a person's word, as part of a replay, or because its engine job is lost.

KEYS  1 delivery  2 pending  3 active  4 health of the endpoint
ARGV  1 delivery id  2 now ms  3 round it must have and be pending in, '' = any status  4 '1' = not while it is pending
      5 '1' = only if it failed  6 ms between replayed deliveries, 0 = at once  7 ms until the sweep looks  8 queue name
      9 ms the record must live on  10 ms that health is kept

returns {1, round, when}  set going; when = the time of its first try (ms)
        {0, status}       not this one ('missing': no record)
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'round', 'next_at')
local status = record[1]
if not status then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {0, 'missing'}
end
if ARGV[3] ~= '' and (status ~= 'pending' or record[2] ~= ARGV[3]) then
  if status ~= 'pending' then redis.call('ZREM', KEYS[2], ARGV[1]) end
  return {0, status}
end
if (ARGV[4] == '1' and status == 'pending') or (ARGV[5] == '1' and status ~= 'failed') then return {0, status} end
local now = tonumber(ARGV[2])
local at = now
if ARGV[3] ~= '' then
  at = math.max(now, tonumber(record[3]) or now)
else
  redis.call('HSET', KEYS[1], 'step', 0)
  if tonumber(ARGV[6]) > 0 then
    at = math.max(now, tonumber(redis.call('HGET', KEYS[4], 'replay_at') or now))
    redis.call('HSET', KEYS[4], 'replay_at', at + tonumber(ARGV[6]))
    redis.call('PEXPIRE', KEYS[4], ARGV[10])
  end
end
local round = redis.call('HINCRBY', KEYS[1], 'round', 1)
redis.call('HSET', KEYS[1], 'status', 'pending', 'reason', '', 'next_at', at)
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[9]) then redis.call('PEXPIRE', KEYS[1], ARGV[9]) end
redis.call('ZADD', KEYS[2], at + tonumber(ARGV[7]), ARGV[1])
redis.call('ZADD', KEYS[3], 'LT', 'CH', now, ARGV[8])
return {1, round, at}
