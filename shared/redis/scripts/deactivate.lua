--[[
Takes a queue out of `active` if nothing is in it; with only delayed jobs it is told when to come back.
The lists are the engine's own: wait, active, prioritized, delayed (score = due ms × 4096), paused, meta.
A job that is accepted while the queue is in `active` rings no bell, and reaches the engine a moment after its record:
so the queue stays as long as a record is queued, too.

KEYS  1 active  2 Q:wait  3 Q:active  4 Q:prioritized  5 Q:delayed  6 Q:paused  7 Q:meta  8 jobs:A:queued
ARGV  1 queue name  2 now ms  3 how far away the next delayed job must be to leave (ms)

returns {1}        gone: a later add rings again
        {2, ms}    only delayed jobs: active again at ms
        {0}        work is waiting or under way: stay
]]
if redis.call('LLEN', KEYS[3]) > 0 then return {0} end
local held = redis.call('HEXISTS', KEYS[7], 'paused') == 1
if not held and redis.call('LLEN', KEYS[2]) + redis.call('LLEN', KEYS[6]) + redis.call('ZCARD', KEYS[4]) + redis.call('ZCARD', KEYS[8]) > 0 then return {0} end
local next = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
if held or #next == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return {1}
end
local due = math.floor(tonumber(next[2]) / 4096)
if due - tonumber(ARGV[2]) < tonumber(ARGV[3]) then return {0} end
redis.call('ZADD', KEYS[1], due, ARGV[1])
return {2, due}
