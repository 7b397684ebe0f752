--[[
A call that the gate let pass left later than at its moment.

KEYS  1 gate
ARGV  1 its place in the ring  2 when it left (ms of this Redis server's clock)

returns {1}
]]
if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return {1}
