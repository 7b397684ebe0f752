--[[
Says, durably and before a byte leaves, which rows go in one call; or what is known of that call afterwards.

KEYS  1 import  2 batch
ARGV  1 sends the batch must have had so far ('' = there must be none)  2 now ms
      3 what is wanted: send | refused | done
      4 rows, JSON ('' = as they are)  5 how many

send     the call is about to leave; from then on its rows are in doubt
refused  nothing of the call was written: no doubt, unless an earlier one left some
done     every row has its result, or is a job

returns {1, sends}    done
        {0, sends}    another run has the batch ('' when there is none)
        {-1, status}  the import begins no rows now
]]
local batch = redis.call('HMGET', KEYS[2], 'sends', 'doubted')
if (batch[1] or '') ~= ARGV[1] then return {0, batch[1] or ''} end
if ARGV[3] == 'done' then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'in_batch', 0, 'updated', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'rev', 1)
  return {1, 0}
end
if ARGV[3] == 'refused' then
  redis.call('HSET', KEYS[2], 'doubt', batch[2] or '')
  return {1, tonumber(batch[1])}
end
local record = redis.call('HMGET', KEYS[1], 'status', 'stop')
if (record[1] ~= 'queued' and record[1] ~= 'running') or (record[2] and record[2] ~= '') then return {-1, record[1] or 'missing'} end
if redis.call('HGET', KEYS[2], 'doubt') == '1' then redis.call('HSET', KEYS[2], 'doubted', 1) end
redis.call('HSET', KEYS[2], 'doubt', 1, 'at', ARGV[2])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[2], 'rows', ARGV[4])
  redis.call('HSET', KEYS[1], 'in_batch', ARGV[5])
end
redis.call('HSET', KEYS[1], 'status', 'running', 'updated', ARGV[2])
redis.call('HSETNX', KEYS[1], 'started', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'rev', 1)
return {1, redis.call('HINCRBY', KEYS[2], 'sends', 1)}
