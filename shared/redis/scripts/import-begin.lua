--[[
Begins to receive an import. Nothing of it is worked before import-commit.

KEYS  1 account  2 import key (or the import when there is none)  3 import  4 imports:open
ARGV  1 `account import`  2 import id  3 fingerprint of what is known before the body, '' = no key
      4 when the sweep looks whether it was left behind (ms)  5… field, value, … of the record

returns {1}             begun
        {0, import id}  the key has its import
        {-422, import id} the key belongs to another request
        {-404}          no such account, or it is being deleted
]]
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'deleting' then return {-404} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {1} end
if ARGV[3] ~= '' then
  local previous = redis.call('GET', KEYS[2])
  if previous then
    local fingerprint, id = string.match(previous, '^(%S+) (%S+)$')
    return {fingerprint == ARGV[3] and 0 or -422, id}
  end
  redis.call('SET', KEYS[2], ARGV[3] .. ' ' .. ARGV[2])
end
redis.call('HSET', KEYS[3], unpack(ARGV, 5))
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1])
return {1}
