--[[
The gate lets a create pass and its attempt begins, in one step: nothing comes between them, and a trip and an fsync are
saved. `enter` is gate-enter.lua, `start` is start.lua, `unsent` is gate-unsent.lua.

KEYS  1…3 as gate-enter.lua  4 jobs whose create under the same parent is lost (or the job key: they cannot be confused)
      5… as start.lua
ARGV  1 as gate-enter.lua  2… as start.lua

returns {1, ms, interval} {0, ms, reason}   as gate-enter.lua
        {2, -2}           a create under this parent is lost, or was: look whether it still is
        {2, …, probe, now, leave, place}   what start.lua returned, two values, and what gate-enter.lua did from probe on; the
                          lease is held if start.lua returned {1, sequence}
]]
local job = ARGV[2]
if KEYS[4] ~= KEYS[5] then
  -- Asked before the gate: who waits for another create takes no slot.
  local lost = redis.call('SMEMBERS', KEYS[4])
  if #lost > 1 or (lost[1] and lost[1] ~= job) then
    redis.call('ZREM', KEYS[2], cjson.decode(ARGV[1]).lease)
    return { 2, -2 }
  end
end
local entered = enter({ KEYS[1], KEYS[2], KEYS[3] }, { ARGV[1] })
if entered[1] ~= 1 or entered[2] > 0 then return entered end
local started = start({ unpack(KEYS, 5) }, { unpack(ARGV, 2) })
if started[1] ~= 1 then
  local lease = cjson.decode(ARGV[1]).lease
  redis.call('ZREM', KEYS[2], lease)
  redis.call('HDEL', KEYS[3], lease)
  unsent({ KEYS[1] }, {})
end
return { 2, started[1], started[2] or 0, unpack(entered, 3) }
