--[[
Gives an open job the next generation, so that it can be queued again beside whatever is left of its old engine job.

KEYS  1 job  2 open
ARGV  1 account id  2 job id  3 generation it must have  4 when the orphan sweep looks next (ms)

returns {1, generation}  the new generation
        {0, status}      not open any more, or another generation
]]
local record = redis.call('HMGET', KEYS[1], 'status', 'gen')
local member = ARGV[1] .. ' ' .. ARGV[2]
if not record[1] then
  redis.call('ZREM', KEYS[2], member)
  return {0, 'missing'}
end
if record[1] ~= 'queued' and record[1] ~= 'running' and record[1] ~= 'waiting' then
  redis.call('ZREM', KEYS[2], member)
  return {0, record[1]}
end
if record[2] ~= ARGV[3] then return {0, 'superseded'} end
redis.call('ZADD', KEYS[2], ARGV[4], member)
return {1, redis.call('HINCRBY', KEYS[1], 'gen', 1)}
