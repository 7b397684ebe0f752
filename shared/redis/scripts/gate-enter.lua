--[[
Asks for one call to a provider: pauses, circuit, budget, concurrency, pace. All times are of this Redis server's clock,
so that every worker agrees. Asked again with a lease that is held, when its slot has come, it looks for a block that
began since and whether calls that left late have filled the window: then it has to wait once more. A call may ask a
little before its moment: what has to be durable first is written meanwhile.

KEYS  1 gate  2 leases  3 what is known of locks under the parent record (or the gate: there is no parent)
ARGV  1 JSON:
        lease, lease_ms   its id and length
        requests, per, burst   calls allowed, per ms, calls that may come at once
        at_once   concurrency
        patience  longest wait that may be spent in place (ms)
        reserve   part of everything that this call leaves to interactive work: above 0 for bulk work, 0 for interactive work
        daily_share   part of the daily allocation that may be used, 0…1
        learns    what the provider states replaces requests, per and burst

returns {1, ms, interval} the slot is reserved and the lease held, but ask again after ms; interval = ms between two slots
        {1, 0, probe, now, leave, place}   enter, and leave at that moment; a call that leaves later tells so, by its place in
                          the ring ('' = it has none; gate-late.lua); probe = 1: the provider was down, and this is the one call let through
                          to see whether it still is
        {0, ms, reason}   come back after ms; reason: blocked | down | budget | daily | concurrency | parent | reserve | pace
]]
local ask = cjson.decode(ARGV[1])
local lease = ask.lease
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
-- How long before its moment a call may be let pass (ms): about what it takes to make its intent durable.
local lead = 15
local gate = redis.call('HMGET', KEYS[1], 'tat', 'block', 'rem', 'rem_reset', 'daily_used', 'daily_max', 'daily_at', 'probe_at', 'probe', 'probe_ms', 'limit', 'seen', 'bulk_tat', 'stated', 'stated_ms', 'ceiling', 'ceiling_ms', 'factor', 'count', 'bulk_at', 'own_tat', 'own_due', 'kept', 'locks')
local block = tonumber(gate[2] or '0')
if block > now then
  redis.call('ZREM', KEYS[2], lease)
  return {0, math.ceil(block - now), 'blocked'}
end
-- The circuit is open as long as there is a time for the next probe.
local isProbe = 0
if gate[8] and gate[9] ~= lease then
  local underWay = gate[9] and tonumber(redis.call('ZSCORE', KEYS[2], gate[9]) or '0') or 0
  local wait = tonumber(gate[8]) - now
  -- A probe under way may open the gate any moment: whoever asks meanwhile looks again soon.
  if underWay > now then wait = 1000 end
  if wait > 0 then
    redis.call('ZREM', KEYS[2], lease)
    return {0, math.ceil(wait), 'down'}
  end
  isProbe = 1
end
local requests, per, burst, factor = ask.requests, ask.per, ask.burst, 1
if ask.learns then
  local own = requests / per
  local stated, statedMs = tonumber(gate[14] or ''), tonumber(gate[15] or '')
  -- A minute and more is a budget, not a pace: it may be spent faster than evenly, and what remains of it is kept above.
  if stated and (statedMs < 60000 or stated / statedMs > own) then requests, per = stated, statedMs end
  local ceiling, ceilingMs = tonumber(gate[16] or ''), tonumber(gate[17] or '')
  if ceiling and ceiling / ceilingMs < requests / per then requests, per = ceiling, ceilingMs end
  if requests / per ~= own then burst = math.max(1, math.floor(requests * 0.005 * math.min(1, 10000 / per))) end
  factor = tonumber(gate[18] or '1')
end
-- A burst is paid for by slightly wider slots: burst + (window / interval) never exceeds the limit in any window. The
-- window is taken 1.5 % longer (15 ms at most), since calls do not arrive exactly as they were spaced.
local spare = math.min(per * 0.015, 15)
local interval = (per + spare) / (requests - burst + 1) / factor
-- A slot is when a call should leave; a busy machine makes it late, and those behind it come close. So the moments at which
-- calls did leave are kept, in a ring of at most 256 (of large limits, of every so manieth call): the one that many calls
-- ago must be a window away, and a part of what is spare is left to the way from here to the provider.
local reserve = ask.reserve
-- What is to be written into the gate, all at once: each write is a command of its own in the log.
local written = {}
local function write(field, value) written[#written + 1], written[#written + 2] = field, value end
local function leaveAt(slot, isProbe)
  local group = math.ceil(requests / 256)
  local count = tonumber(gate[19] or '0')
  local place = 'left' .. math.floor(count / group) % math.floor(requests / group)
  local moment = math.max(slot, now)
  if count % group == 0 then
    moment = math.max(moment, tonumber(redis.call('HGET', KEYS[1], place) or '0') + per + spare * 0.6)
  end
  -- Bulk calls and interactive ones that wait for the same place in the ring ask for it in the same moment: the moment of the
  -- last interactive one that has it within two seconds is kept, and until then bulk work takes none.
  local due = tonumber(gate[22] or '0')
  if reserve > 0 and due > now then return {1, math.ceil(due - now), interval} end
  if moment - now > lead then
    if reserve == 0 and moment > due and moment - now <= 2000 then write('own_due', string.format('%.3f', moment)) end
    return {1, math.ceil(moment - now - lead), interval}
  end
  local at = string.format('%.3f', moment)
  write('count', count + 1)
  if count % group == group - 1 then write(place, at) else place = '' end
  return {1, 0, isProbe, string.format('%.3f', now), at, place}
end
local function flushed(reply)
  if #written > 0 then redis.call('HSET', KEYS[1], unpack(written)) end
  return reply
end
local held = redis.call('ZSCORE', KEYS[2], lease)
if held then return flushed(leaveAt(tonumber(held) - ask.lease_ms, gate[9] == lease and 1 or 0)) end
-- Interactive work counts as present for ten seconds after it asked, turned away or not; noted once a second.
if reserve == 0 and math.abs(now - tonumber(gate[12] or '0')) > 1000 then redis.call('HSET', KEYS[1], 'seen', string.format('%.0f', now)) end
local isShared = reserve > 0 and now - tonumber(gate[12] or '0') < 10000
local remaining, reset = tonumber(gate[3] or ''), tonumber(gate[4] or '0')
-- Of a window that is over in seconds bulk work may take the last call, unless somebody waits; of a long one never:
-- interactive work that comes later would stand still until its end.
local keep = 0
if isShared or (reserve > 0 and reset - now > 10000) then
  keep = math.max(1, math.ceil(reserve * math.max(remaining or 0, tonumber(gate[11] or '0'))))
end
if remaining and reset > now and remaining <= keep then return {0, math.ceil(reset - now), keep > 0 and remaining > 0 and 'reserve' or 'budget'} end
local used, max = tonumber(gate[5] or '0'), tonumber(gate[6] or '0')
-- A reading older than five minutes is not held against anyone: capacity returns call by call.
if max > 0 and used >= max * ask.daily_share * (1 - reserve) and now - tonumber(gate[7] or '0') < 300000 then return {0, 60000, used < max * ask.daily_share and 'reserve' or 'daily'} end
local atOnce = ask.at_once
if isShared and atOnce > 1 then atOnce = atOnce - math.max(1, math.floor(atOnce * reserve)) end
local inFlight = redis.call('ZCARD', KEYS[2])
-- Leases of calls that never came back are looked for where they are in the way.
if inFlight >= atOnce then inFlight = inFlight - redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now) end
if inFlight >= atOnce then return {0, 25, 'concurrency'} end
-- Under a parent whose row was locked only so many writes run at once; it has fields only after a lock, and the gate says if there
-- ever was one.
local isCapped = false
if gate[24] and KEYS[3] ~= KEYS[1] then
  local held, parent = 0, {}
  local fields = redis.call('HGETALL', KEYS[3])
  for i = 1, #fields, 2 do
    local name, value = fields[i], tonumber(fields[i + 1])
    if name == 'cap' or name == 'turn' then parent[name] = value
    elseif name ~= 'well' then
      if value > now then held = held + 1 else redis.call('HDEL', KEYS[3], name) end
    end
  end
  isCapped = parent.cap ~= nil
  if isCapped and held >= parent.cap then
    -- Whoever is sent away gets a turn after the one before, so that a thousand jobs do not ask in every second.
    local turn = math.max(parent.turn or 0, now) + 250 / parent.cap
    redis.call('HSET', KEYS[3], 'turn', string.format('%.0f', turn))
    return {0, math.min(math.ceil(turn - now), 60000), 'parent'}
  end
end
local tat = math.max(tonumber(gate[1] or '0'), now - (burst - 1) * interval)
local bulkTat
if isShared then
  -- Its own, slower pace, and no slot but the next: those further on are for interactive work that comes before them.
  -- What was lost by asking late is made up, a few calls at most.
  local between = interval / (1 - reserve)
  bulkTat = math.max(tonumber(gate[13] or '0'), now - 4 * between)
  if bulkTat > now then return {0, math.ceil(bulkTat - now), 'reserve'} end
  bulkTat = bulkTat + between
end
-- Interactive work takes the slots that waiting bulk calls hold: these find the window full when their time comes, and wait
-- for the next one.
local slot = tat
if reserve == 0 and tonumber(gate[20] or '0') > now then slot = math.min(tat, math.max(tonumber(gate[21] or '0'), now)) end
local wait = math.max(0, slot - now)
if bulkTat and wait > interval then return {0, math.ceil(wait), 'reserve'} end
if wait > ask.patience then return {0, math.ceil(wait), 'pace'} end
write('tat', string.format('%.3f', tat + interval))
if bulkTat then write('bulk_tat', string.format('%.3f', bulkTat)) end
if reserve > 0 then write('bulk_at', string.format('%.3f', slot)) else write('own_tat', string.format('%.3f', slot + interval)) end
if isProbe == 1 then
  -- Should the prober die, the next one follows after the same interval.
  write('probe', lease)
  write('probe_at', string.format('%.0f', now + tonumber(gate[10] or '0')))
end
if remaining and reset > now then write('rem', remaining - 1) end
redis.call('ZADD', KEYS[2], now + wait + ask.lease_ms, lease)
if isCapped then redis.call('HSET', KEYS[3], lease, string.format('%.0f', now + wait + ask.lease_ms)) end
-- Kept two days after the last call, and up to an hour longer: the time is not written with every call. Leases that have all
-- been given back take theirs with them.
local isDue = math.abs(now - tonumber(gate[23] or '0')) > 3600000
if isDue then write('kept', string.format('%.0f', now)) end
local reply = flushed(leaveAt(slot, isProbe))
if isDue then redis.call('PEXPIRE', KEYS[1], 176400000) end
if isDue or inFlight == 0 then redis.call('PEXPIRE', KEYS[2], 176400000) end
return reply
