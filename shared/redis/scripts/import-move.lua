--[[
Moves an import to another status by compare-and-set, with its event when it ends.

KEYS  1 import  2 window  3 imports:open  4 imports:A:open  5 active  6 event:I, to which the number is added  7 outbox
ARGV  1 account id  2 import id  3 to ('' = as it is)  4 allowed froms as ',a,b,'  5 now ms  6 '1' = next generation
      7 when the sweep looks for its engine job (ms)  8 event, see stores/event-store.ts ('' = nobody listens)
      9 '1' = it ends: nothing may be under way  10… field, value, …

returns {1, generation, event}  done; event = its number, 0 = none
        {0, status}             not allowed from this status ('missing' when there is no record)
        {-1, rows}              so many rows are under way
]]
local from = redis.call('HGET', KEYS[1], 'status')
if not from then return {0, 'missing'} end
if not string.find(ARGV[4], ',' .. from .. ',', 1, true) then return {0, from} end
local ends = ARGV[9] == '1'
if ends then
  local underWay = redis.call('ZCARD', KEYS[2]) + tonumber(redis.call('HGET', KEYS[1], 'in_batch') or '0')
  if underWay > 0 then return {-1, underWay} end
end
local to = ARGV[3] ~= '' and ARGV[3] or from
redis.call('HSET', KEYS[1], 'status', to, 'updated', ARGV[5], unpack(ARGV, 10))
redis.call('HINCRBY', KEYS[1], 'rev', 1)
local generation = tonumber(redis.call('HGET', KEYS[1], 'gen'))
if ARGV[6] == '1' then generation = redis.call('HINCRBY', KEYS[1], 'gen', 1) end
local member = ARGV[1] .. ' ' .. ARGV[2]
if ends then
  redis.call('ZREM', KEYS[3], member)
  redis.call('SREM', KEYS[4], ARGV[2])
else
  redis.call('ZADD', KEYS[3], ARGV[7], member)
  redis.call('SADD', KEYS[4], ARGV[2])
  redis.call('ZADD', KEYS[5], 'LT', ARGV[5], ARGV[1])
end
return {1, generation, write_event({ KEYS[6], KEYS[7] }, { ARGV[8], ARGV[2], ARGV[5] })}
