--[[
Asks for one call to a provider: pauses, budget, concurrency, pace. All times are of this Redis server's clock, so that
every worker agrees. Asked again with a lease that is held, when its slot has come, it looks for a block that began since
and whether calls that left late have filled the window: then it has to wait once more.

KEYS  1 gate  2 leases
ARGV  1 lease id  2 lease length ms  3 calls allowed  4 per ms  5 burst (calls)  6 concurrency
      7 longest wait that may be spent in place (ms)  8 calls of the known budget kept back for others (0 = none)
      9 part of the daily allocation that may be used, 0…1

returns {1, ms}           enter after ms (the slot is reserved, the lease is held)
        {0, ms, reason}   come back after ms; reason: blocked | budget | daily | concurrency | pace
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local gate = redis.call('HMGET', KEYS[1], 'tat', 'block', 'rem', 'rem_reset', 'daily_used', 'daily_max', 'daily_at', 'count')
local block = tonumber(gate[2] or '0')
if block > now then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {0, math.ceil(block - now), 'blocked'}
end
-- A burst is paid for by slightly wider slots: burst + (window / interval) never exceeds the limit in any window. The
-- window is taken 1.5 % longer (15 ms at most), since calls do not arrive exactly as they were spaced.
local limit, perMs, burst = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local reserve = math.min(perMs * 0.015, 15)
local interval = (perMs + reserve) / (limit - burst + 1)
-- A slot is when a call should leave; a busy machine makes it late, and those behind it come close. So the moments at which
-- calls did leave are kept, in a ring of at most 256 (of large limits, of every so manieth call): the one that many calls
-- ago must be a window away, and a part of the reserve is left to the way from here to the provider.
local function leaveNow()
  local group = math.ceil(limit / 256)
  local count = tonumber(gate[8] or '0')
  local place = 'left' .. math.floor(count / group) % math.floor(limit / group)
  if count % group == 0 then
    local from = tonumber(redis.call('HGET', KEYS[1], place) or '0') + perMs + reserve * 0.6
    if from > now then return {1, math.ceil(from - now)} end
  end
  redis.call('HSET', KEYS[1], 'count', count + 1)
  if count % group == group - 1 then redis.call('HSET', KEYS[1], place, string.format('%.3f', now)) end
  return {1, 0}
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return leaveNow() end
local remaining, reset = tonumber(gate[3] or ''), tonumber(gate[4] or '0')
if remaining and reset > now and remaining <= tonumber(ARGV[8]) then return {0, math.ceil(reset - now), 'budget'} end
local used, max = tonumber(gate[5] or '0'), tonumber(gate[6] or '0')
-- A reading older than five minutes is not held against anyone: capacity returns call by call.
if max > 0 and used >= max * tonumber(ARGV[9]) and now - tonumber(gate[7] or '0') < 300000 then return {0, 60000, 'daily'} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) then return {0, 25, 'concurrency'} end
local tat = math.max(tonumber(gate[1] or '0'), now - (burst - 1) * interval)
local wait = math.max(0, tat - now)
if wait > tonumber(ARGV[7]) then return {0, math.ceil(wait), 'pace'} end
redis.call('HSET', KEYS[1], 'tat', string.format('%.3f', tat + interval))
if remaining and reset > now then redis.call('HINCRBY', KEYS[1], 'rem', -1) end
redis.call('ZADD', KEYS[2], now + wait + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], 172800000)
redis.call('PEXPIRE', KEYS[2], 172800000)
if wait > 0 then return {1, math.ceil(wait)} end
return leaveNow()
