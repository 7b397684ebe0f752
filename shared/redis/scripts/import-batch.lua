--[[
Says, durably and before a byte leaves, which rows of one chunk go in one call; or what is known of that call afterwards. Rows leave
their batch one by one, with their results (leave-batch.lua); it is over when none is left.

KEYS  1 import  2 batches  3 bulk
ARGV  1 chunk  2 sends the batch must have had so far ('' = there must be none)  3 now ms
      4 what is wanted: send | take | refused | rest
      5 rows, JSON ('' = as they are)  6 how many  7 the provider's field that has the rows' keys
      8 who sends it, JSON ('' = not known)

send     the call is about to leave; from then on its rows are in doubt
take     rows of the bulk job become a batch: it was sent, and its rows are in doubt
refused  nothing of the call was written: no doubt, unless an earlier one left some
rest     its rows were never written: they wait as if they had not been begun

returns {1, sends}    done
        {0, sends}    another run has the batch ('' when there is none)
        {-1, status}  the import begins no rows now
]]
local text = redis.call('HGET', KEYS[2], ARGV[1])
local batch = text and cjson.decode(text) or { sends = 0, doubt = false, doubted = false }
local sends = text and string.format('%d', batch.sends) or ''
if sends ~= ARGV[2] then return {0, sends} end
local function keep()
  redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(batch))
  redis.call('HSET', KEYS[1], 'updated', ARGV[3])
  redis.call('HINCRBY', KEYS[1], 'rev', 1)
  return {1, batch.sends}
end
if ARGV[4] == 'refused' then
  batch.doubt = false
  return keep()
end
if ARGV[4] == 'rest' then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'in_batch', -#batch.rows)
  redis.call('HINCRBY', KEYS[1], 'rev', 1)
  local next = tonumber(redis.call('HGET', KEYS[1], 'next') or '1')
  if batch.rows[1] < next then redis.call('HSET', KEYS[1], 'next', batch.rows[1]) end
  return {1, 0}
end
if ARGV[4] == 'take' then
  local bulk = redis.call('HMGET', KEYS[3], 'rows', 'at')
  if not bulk[1] then return {0, sends} end
  batch.rows, batch.at = cjson.decode(ARGV[5]), tonumber(bulk[2] or ARGV[3])
  batch.sends, batch.doubt, batch.key = 1, true, ARGV[7]
  -- Most were counted with the job. Those that could not go in it are looked for all the same.
  local counted = math.min(tonumber(bulk[1]), #batch.rows)
  if counted > 0 then redis.call('HINCRBY', KEYS[3], 'rows', -counted) end
  redis.call('HINCRBY', KEYS[1], 'in_batch', #batch.rows - counted)
  return keep()
end
local record = redis.call('HMGET', KEYS[1], 'status', 'stop')
if (record[1] ~= 'queued' and record[1] ~= 'running') or (record[2] and record[2] ~= '') then return {-1, record[1] or 'missing'} end
if batch.doubt then batch.doubted = true end
batch.doubt, batch.at, batch.key, batch.sends = true, tonumber(ARGV[3]), ARGV[7], batch.sends + 1
batch.by = ARGV[8] and ARGV[8] ~= '' and cjson.decode(ARGV[8]) or nil
if ARGV[5] ~= '' then
  redis.call('HINCRBY', KEYS[1], 'in_batch', tonumber(ARGV[6]) - (batch.rows and #batch.rows or 0))
  batch.rows = cjson.decode(ARGV[5])
end
redis.call('HSET', KEYS[1], 'status', 'running')
redis.call('HSETNX', KEYS[1], 'started', ARGV[3])
return keep()
