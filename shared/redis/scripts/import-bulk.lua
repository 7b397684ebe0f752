--[[
Keeps how far the bulk job of an import has come, before and after each of its steps.

KEYS  1 import  2 bulk
ARGV  1 changes of it so far ('' = there must be none)  2 now ms  3 what is wanted: begin | advance | save | settled | drop
      4 begin: rows that go; drop: row to look from next  5… field, value, …

begin    the rows count as under way from here on; nothing has left
advance  as save, while the import begins rows: a step before the job's file has arrived
save     the fields are set
settled  as save, and its rows count as under way no more: those without a result were not written
drop     it is over

returns {1, changes}   done
        {0, changes}   another run has changed it ('' when there is none)
        {-1, status}   the import begins no rows now
]]
local changes = redis.call('HGET', KEYS[2], 'changes') or ''
if changes ~= ARGV[1] then return {0, changes} end
if ARGV[3] == 'begin' or ARGV[3] == 'advance' then
  local record = redis.call('HMGET', KEYS[1], 'status', 'stop')
  if (record[1] ~= 'queued' and record[1] ~= 'running') or (record[2] and record[2] ~= '') then return {-1, record[1] or 'missing'} end
end
if ARGV[3] == 'begin' then
  redis.call('HSET', KEYS[2], 'rows', ARGV[4])
  redis.call('HINCRBY', KEYS[1], 'in_batch', ARGV[4])
  redis.call('HSET', KEYS[1], 'status', 'running')
  redis.call('HSETNX', KEYS[1], 'started', ARGV[2])
elseif ARGV[3] == 'settled' or ARGV[3] == 'drop' then
  local rows = tonumber(redis.call('HGET', KEYS[2], 'rows'))
  -- Lua's -0 is none of Redis's integers.
  if rows > 0 then redis.call('HINCRBY', KEYS[1], 'in_batch', -rows) end
  redis.call('HSET', KEYS[2], 'rows', 0)
end
redis.call('HSET', KEYS[1], 'updated', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'rev', 1)
if ARGV[3] == 'drop' then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'next', ARGV[4])
  return {1, 0}
end
if #ARGV > 4 then redis.call('HSET', KEYS[2], unpack(ARGV, 5)) end
return {1, redis.call('HINCRBY', KEYS[2], 'changes', 1)}
