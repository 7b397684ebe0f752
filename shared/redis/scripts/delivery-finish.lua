--[[
Puts the outcome of one run into its delivery and into the endpoint's health.

KEYS  1 delivery  2 pending  3 health of the endpoint
ARGV  1 delivery id  2 round of the run  3 now ms  4 delivered | failed | retry  5 reason, '' = none  6 next try (ms), for retry
      7 JSON of the try, '' = nothing was sent  8 tries kept  9 ms without a failure after which a series ends
      10 until when the receiver wants no more (ms), '' = not said  11 ms that health is kept

returns {1, failing since}  stored; ms of the first failure since the last success, 0 = it is well
        {0, status}         the delivery was set going anew, or is over; the try is kept all the same ('missing': no record)
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'round')
if not record[1] then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {0, 'missing'}
end
local now, outcome = ARGV[3], ARGV[4]
local since = 0
if ARGV[7] ~= '' then
  local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
  redis.call('HSET', KEYS[1], 't' .. n, ARGV[7])
  redis.call('HDEL', KEYS[1], 't' .. (n - tonumber(ARGV[8])))
  -- What one answer said of the time to come holds, whatever others say that were under way with it.
  local blocked = tonumber(redis.call('HGET', KEYS[3], 'blocked') or '0')
  if outcome == 'delivered' then
    redis.call('HDEL', KEYS[3], 'failing_since', 'last_failure')
    if blocked <= tonumber(now) then redis.call('HDEL', KEYS[3], 'blocked') end
  else
    local health = redis.call('HMGET', KEYS[3], 'failing_since', 'last_failure')
    since = tonumber(health[1] or now)
    if not health[2] or tonumber(now) - tonumber(health[2]) > tonumber(ARGV[9]) then since = tonumber(now) end
    redis.call('HSET', KEYS[3], 'failing_since', since, 'last_failure', now)
    if tonumber(ARGV[10] or '') and tonumber(ARGV[10]) > blocked then redis.call('HSET', KEYS[3], 'blocked', ARGV[10]) end
    redis.call('PEXPIRE', KEYS[3], ARGV[11])
  end
end
if record[2] ~= ARGV[2] or record[1] ~= 'pending' then return {0, record[1]} end
if outcome == 'retry' then
  redis.call('HINCRBY', KEYS[1], 'step', 1)
  redis.call('HSET', KEYS[1], 'next_at', ARGV[6])
  redis.call('ZADD', KEYS[2], tonumber(ARGV[6]) + 60000, ARGV[1])
else
  redis.call('HSET', KEYS[1], 'status', outcome, 'reason', ARGV[5], 'next_at', '')
  if outcome == 'delivered' then redis.call('HSET', KEYS[1], 'delivered', now) end
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return {1, since}
