--[[
The gate lets a batch pass and its rows are named as under way, in one step: see enter-and-start.lua. `enter` is
gate-enter.lua, `batch` is import-batch.lua.

KEYS  1…3 as gate-enter.lua  4… as import-batch.lua
ARGV  1 as gate-enter.lua  2… as import-batch.lua

returns {1, ms, interval} {0, ms, reason}   as gate-enter.lua
        {2, …, probe, now, leave, place}   what import-batch.lua returned, two values, and what gate-enter.lua did from probe on;
                          the lease is held if import-batch.lua returned {1, sends}
]]
local entered = enter({ KEYS[1], KEYS[2], KEYS[3] }, { ARGV[1] })
if entered[1] ~= 1 or entered[2] > 0 then return entered end
local begun = batch({ unpack(KEYS, 4) }, { unpack(ARGV, 2) })
if begun[1] ~= 1 then
  local lease = cjson.decode(ARGV[1]).lease
  redis.call('ZREM', KEYS[2], lease)
  redis.call('HDEL', KEYS[3], lease)
  unsent({ KEYS[1] }, {})
end
return { 2, begun[1], begun[2] or 0, unpack(entered, 3) }
