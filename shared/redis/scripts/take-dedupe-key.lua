--[[
The owner of a dedupe key becomes this row, unless another row is.

KEYS  1 dedupe:A:BUCKET
ARGV  1 dedupe key  2 this row as owner (bytes)  3 owner that is gone, whose key may be taken ('' = none)  4 ms to keep the bucket

returns nil    it is this row's
        owner  it is another row's, in hexadecimal: a reply is read as UTF-8
]]
local owner = redis.call('HGET', KEYS[1], ARGV[1])
if owner and owner ~= ARGV[2] and owner ~= ARGV[3] then
  return (string.gsub(owner, '.', function(c) return string.format('%02x', string.byte(c)) end))
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return nil
