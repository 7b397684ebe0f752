--[[
A call that had its slot is not sent: what it took of a known budget comes back. No answer will correct it.

KEYS  1 gate

returns {1}
]]
local time = redis.call('TIME')
local budget = redis.call('HMGET', KEYS[1], 'rem', 'rem_reset')
if budget[1] and tonumber(budget[2]) > time[1] * 1000 then redis.call('HINCRBY', KEYS[1], 'rem', 1) end
return {1}
