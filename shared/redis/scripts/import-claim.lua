--[[
Takes a dedupe key for a row that goes in a batch, or frees it again.

KEYS  1 dedupe:A:BUCKET
ARGV  1 dedupe key  2 this row as owner (bytes)  3 owner that is gone, whose key may be taken ('' = none)  4 ms to keep the bucket
      5 '1' = the key is freed, if it is this row's

returns {1}         it is this row's, or is not any more
        {0, owner}  it is another row's, in hexadecimal
]]
if ARGV[5] == '1' then
  if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
  return {1}
end
local owner = take_dedupe_key(KEYS, ARGV)
if owner then return {0, owner} end
return {1}
