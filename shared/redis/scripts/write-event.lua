--[[
Writes an event and its place in the outbox, for a script whose change it tells of: both are one step.

KEYS  1 the event, to which its number is added  2 outbox
ARGV  1 the event, see encodeEvent in stores/event-store.ts, '' = nobody listens  2 id of the record  3 now ms

returns its number, 0 = none
]]
if ARGV[1] == '' then return 0 end
local new = cjson.decode(ARGV[1])
local n = redis.call('INCR', KEYS[1])
local key = KEYS[1] .. '.' .. n
redis.call('HSET', key, 'v', 1, 'kind', 'json', 'ws', new.ws, 'type', new.type, 'at', ARGV[3], 'seq', n, 'data', new.data, 'only', new.only)
redis.call('PEXPIRE', key, new.kept)
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2] .. '.' .. n)
return n
