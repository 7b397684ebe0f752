--[[
Takes a dedupe key for a row that goes in a batch, or frees it again; import-materialise does the same for one that becomes a job.

KEYS  1 dedupe:A:BUCKET
ARGV  1 dedupe key  2 this row as owner  3 owner that is gone, whose key may be taken ('' = none)  4 ms to keep the bucket
      5 '1' = the key is freed, if it is this row's

returns {1}         it is this row's, or is not any more
        {0, owner}  it is another row's
]]
local owner = redis.call('HGET', KEYS[1], ARGV[1])
if owner and owner ~= ARGV[2] and owner ~= ARGV[3] then return {0, owner} end
if ARGV[5] == '1' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return {1}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {1}
