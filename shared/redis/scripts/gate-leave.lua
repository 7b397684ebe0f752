--[[
Ends one call: gives its lease back and keeps what its answer said about limits, and whether the provider is there.

KEYS  1 gate  2 leases  3 what is known of locks under the parent record (or the gate: there is no parent)
ARGV  1 JSON, of which all but the first two may be missing:
        lease     its id
        at_once   calls of the account at once
        ok        the call succeeded: hits in a row end
        there     'up' | 'down': whether the provider is there; missing: the call says nothing about it
        opens_after, probe_first, probe_max, chance   calls in a row that found it down before the circuit opens; first and longest
                  time between probes (ms); chance 0…1, by which the time to the next probe is longer
        block     block the account for ms
        grow_first, grow_max   first and longest block that grows with every hit in a row (ms)
        remaining, reset, step, limit   calls left; until when (ms from now), rounded up in such steps (ms; missing: exact); of how many
        daily_used, daily_max
        source    where it was learned
        stated, stated_ms, stated_least   calls the provider allows to creates within ms; least: that is only the time to a
                  reset, and the window is at least that
        ceiling, ceiling_ms   a second window that applies as well
        slower    a limit was met that nobody had stated: go slower
        locked    the parent's row was locked
        unsent    the call was not sent (gate-unsent.lua)

returns {1, ms, circuit}  the account is blocked for ms from now, 0 = not; circuit: 'opened', 'closed', or by a
                          probe in vain 'held_open' by this call, else ''
]]
local said = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'block', 'hits', 'tat', 'downs', 'opens', 'probe', 'factor', 'limit', 'source', 'locks')
if redis.call('ZREM', KEYS[2], said.lease) == 1 and said.unsent then unsent({ KEYS[1] }, {}) end
local block, stated = tonumber(known[1] or '0'), said.block or 0
if said.grow_first then
  -- Calls that were under way together meet one limit together: only the first of them makes the wait grow.
  if block <= now then
    local hits = redis.call('HINCRBY', KEYS[1], 'hits', 1)
    stated = math.min(said.grow_max, said.grow_first * 2 ^ math.min(hits - 1, 30))
  end
elseif said.ok and known[2] then
  redis.call('HDEL', KEYS[1], 'hits')
end
if stated > 0 and now + stated > block then
  -- The latest stated time wins: an earlier one must not open the gate again. Afterwards calls come at their pace,
  -- not with what was saved up.
  block = now + stated
  redis.call('HSET', KEYS[1], 'block', string.format('%.0f', block), 'tat', string.format('%.0f', math.max(block, tonumber(known[3] or '0'))))
end
local circuit, opens = '', tonumber(known[5] or '0')
if said.there == 'down' then
  local downs = redis.call('HINCRBY', KEYS[1], 'downs', 1)
  -- While it is open only the probe's word counts: the others had left before.
  if (opens == 0 and downs >= said.opens_after) or (opens > 0 and known[6] == said.lease) then
    circuit = opens == 0 and 'opened' or 'held_open'
    local between = math.min(said.probe_max, said.probe_first * 2 ^ math.min(opens, 30))
    local at = now + between * (1 + 0.25 * said.chance)
    redis.call('HSET', KEYS[1], 'opens', opens + 1, 'probe_ms', between, 'probe_at', string.format('%.0f', at))
    redis.call('HDEL', KEYS[1], 'probe')
  end
elseif said.there == 'up' and known[4] then
  redis.call('HDEL', KEYS[1], 'downs', 'opens', 'probe', 'probe_at', 'probe_ms')
  if opens > 0 then
    circuit = 'closed'
    redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', math.max(now, tonumber(known[3] or '0'))))
  end
elseif known[6] == said.lease then
  -- It was sent to look and saw nothing: the next one may.
  redis.call('HDEL', KEYS[1], 'probe')
  redis.call('HSET', KEYS[1], 'probe_at', now)
end
if said.stated then
  local before, within = redis.call('HMGET', KEYS[1], 'stated', 'stated_ms'), math.max(1000, said.stated_ms)
  local isSame = tonumber(before[1] or '') == said.stated
  if said.stated_least and isSame then within = math.max(within, tonumber(before[2])) end
  if not isSame or tonumber(before[2]) ~= within then
    redis.call('HSET', KEYS[1], 'stated', said.stated, 'stated_ms', string.format('%.0f', within))
  end
  if said.ceiling then redis.call('HSET', KEYS[1], 'ceiling', said.ceiling, 'ceiling_ms', said.ceiling_ms) end
end
if said.slower or (said.ok and known[7]) then
  local slow = redis.call('HMGET', KEYS[1], 'factor', 'factor_at', 'met', 'met_at')
  local factor, met, metAt = tonumber(slow[1] or '1'), tonumber(slow[3] or '1'), tonumber(slow[4] or '0')
  if said.slower then
    -- Half as fast, once for all calls that were under way together.
    if now - metAt > 1000 then
      redis.call('HSET', KEYS[1], 'factor', math.max(0.02, factor / 2), 'factor_at', now, 'met', factor, 'met_at', now)
    end
  elseif now - tonumber(slow[2]) >= 1000 then
    -- Back by a fiftieth a second, but not to where the limit was met; that is tried again by a tenth in ten minutes.
    local up = math.min(factor + 0.02, met * 0.85 + 0.1 * math.floor((now - metAt) / 600000))
    if up >= 1 then redis.call('HDEL', KEYS[1], 'factor', 'factor_at', 'met', 'met_at')
    elseif up > factor then redis.call('HSET', KEYS[1], 'factor', up, 'factor_at', now) end
  end
end
local cap = (known[10] or said.locked) and KEYS[3] ~= KEYS[1] and tonumber(redis.call('HGET', KEYS[3], 'cap') or '')
-- Without a cap nothing is kept of the parent.
if KEYS[3] ~= KEYS[1] and (cap or said.locked) then
  redis.call('HDEL', KEYS[3], said.lease)
  if said.locked then
    redis.call('HSET', KEYS[1], 'locks', 1)
    redis.call('HSET', KEYS[3], 'cap', math.max(1, math.floor((cap or said.at_once) / 2)), 'well', 0)
  elseif cap and said.ok and redis.call('HINCRBY', KEYS[3], 'well', 1) >= 5 then
    -- One more at once for every five that went well; at the account's own number nothing is left to remember.
    if cap + 1 >= said.at_once then redis.call('DEL', KEYS[3]) else redis.call('HSET', KEYS[3], 'cap', cap + 1, 'well', 0) end
  end
  redis.call('PEXPIRE', KEYS[3], 600000)
end
local written = {}
local function write(field, value) written[#written + 1], written[#written + 2] = field, value end
if said.remaining and said.reset then
  -- The provider counted what it had seen; calls still in flight may not be among them.
  local stated, inFlight = math.floor(said.remaining), redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', now), '+inf')
  local reset, left = now + said.reset, math.max(0, stated - inFlight)
  local before = redis.call('HMGET', KEYS[1], 'rem', 'rem_reset', 'rem_long', 'limit')
  local known = tonumber(before[1] or '')
  local isSame = known ~= nil and math.abs(tonumber(before[2]) - reset) < 2000
  -- Near its end a long window looks short: it is what it once was seen to be.
  local isLong = said.reset > 10000 or (isSame and before[3] == '1')
  if isLong then
    -- Answers overtake each other, by no more than what may be in flight. Of a budget that lasts the smaller counts: a few calls
    -- left over cost nothing, one too many is a refusal. What is larger by more than that is news, and so is a fiftieth of it all.
    local overtaken = math.min(2 * said.at_once, math.max(16, 0.02 * (tonumber(before[4] or '') or stated)))
    if isSame and left - known <= overtaken then left = math.min(left, math.max(0, known)) end
  else
    -- Of a window that is over in a moment the newest answer simply counts: it is off by at most those in flight. A reset that is
    -- rounded up would stop every account that keeps to its pace once per window.
    reset = math.max(now, reset - (said.step or 0))
    if stated > 0 then left = math.max(1, left) end
  end
  write('rem', left)
  write('rem_reset', string.format('%.0f', reset))
  write('rem_long', isLong and '1' or '0')
end
if said.limit and said.limit ~= tonumber(known[8] or '') then write('limit', said.limit) end
if said.daily_used then
  write('daily_used', said.daily_used)
  write('daily_max', said.daily_max)
  write('daily_at', string.format('%.0f', now))
end
if said.source and said.source ~= known[9] then write('source', said.source) end
if #written > 0 then redis.call('HSET', KEYS[1], unpack(written)) end
return {1, math.max(0, block - now), circuit}
