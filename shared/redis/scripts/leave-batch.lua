--[[
Rows that went together in one call, or one bulk job, have their result or went another way: they count as under way there no
more. Used by scripts that write a result or make a job.

KEYS  1 import  2 batches  3 bulk
ARGV  1 what held them: a chunk, or 'bulk' ('' = nothing)  2… rows

returns how many it held
]]
local holder, left = ARGV[1], 0
if holder == '' then return 0 end
if holder == 'bulk' then
  left = math.min(#ARGV - 1, tonumber(redis.call('HGET', KEYS[3], 'rows') or '0'))
  if left > 0 then redis.call('HINCRBY', KEYS[3], 'rows', -left) end
else
  local text = redis.call('HGET', KEYS[2], holder)
  if not text then return 0 end
  local batch, leaving, rows = cjson.decode(text), {}, {}
  for i = 2, #ARGV do leaving[tonumber(ARGV[i])] = true end
  for _, row in ipairs(batch.rows) do
    if leaving[row] then left = left + 1 else rows[#rows + 1] = row end
  end
  batch.rows = rows
  if #rows == 0 then redis.call('HDEL', KEYS[2], holder)
  elseif left > 0 then redis.call('HSET', KEYS[2], holder, cjson.encode(batch)) end
end
if left > 0 then redis.call('HINCRBY', KEYS[1], 'in_batch', -left) end
return left
