--[[
Writes and counts the results of rows of one chunk that went together and never were jobs; they leave what held them. A row that has
its result keeps it.

KEYS  1 import  2 results:K  3 batches  4 bulk
ARGV  1 what held them: a chunk, or 'bulk'  2 now ms
      3 JSON, as [[row, row in the chunk, status of the result (the counter), result], …]: one argument for many rows

returns {n}  so many were written
]]
local rows, fields = cjson.decode(ARGV[3]), {}
for i, row in ipairs(rows) do fields[i] = row[2] end
local known = redis.call('HMGET', KEYS[2], unpack(fields))
local results, counts, leaving = {}, {}, { ARGV[1] }
for i, row in ipairs(rows) do
  local isNew = not known[i] or string.sub(known[i], 1, 1) == 'q'
  if isNew then
    results[#results + 1] = row[2]
    results[#results + 1] = row[4]
    counts[row[3]] = (counts[row[3]] or 0) + 1
  end
  if isNew or ARGV[1] ~= 'bulk' then leaving[#leaving + 1] = row[1] end
end
if #results > 0 then redis.call('HSET', KEYS[2], unpack(results)) end
for status, count in pairs(counts) do redis.call('HINCRBY', KEYS[1], status, count) end
leave_batch({ KEYS[1], KEYS[3], KEYS[4] }, leaving)
redis.call('HSET', KEYS[1], 'updated', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'rev', 1)
return {#results / 2}
