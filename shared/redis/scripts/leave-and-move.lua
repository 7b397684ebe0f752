--[[
A call ends and its job moves on, in one step: a trip is saved. `leave` is gate-leave.lua, `move` is transition.lua.

KEYS  1…3 as gate-leave.lua  4… as transition.lua
ARGV  1 as gate-leave.lua  2… as transition.lua

returns {ms, circuit, …}  what gate-leave.lua returned after its 1, then all that transition.lua returned; the call has ended
                          whether the job moved or not
]]
local left = leave({ KEYS[1], KEYS[2], KEYS[3] }, { ARGV[1] })
return { left[2], left[3], unpack(move({ unpack(KEYS, 4) }, { unpack(ARGV, 2) })) }
