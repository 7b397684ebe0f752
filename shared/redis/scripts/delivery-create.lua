--[[
Makes the delivery of one event to one endpoint, unless it exists.

KEYS  1 delivery  2 deliveries of the endpoint  3 pending  4 active
ARGV  1 delivery id  2 when the event was (ms)  3 when the sweep looks for its engine job (ms), '' = it is not to be sent
      4 retention ms  5 queue name  6 now ms  7… field, value, …

returns {1, bell}         made; bell = 1: the queue needs a worker
        {0, status, round}  it exists
]]
local known = redis.call('HMGET', KEYS[1], 'status', 'round')
if known[1] then return {0, known[1], tonumber(known[2])} end
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(ARGV[6]) - tonumber(ARGV[4]))
redis.call('PEXPIRE', KEYS[2], ARGV[4])
if ARGV[3] == '' then return {1, 0} end
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return {1, redis.call('ZADD', KEYS[4], 'LT', 'CH', ARGV[6], ARGV[5])}
