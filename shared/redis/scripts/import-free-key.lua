--[[
Frees the idempotency key of an import that is removed, unless another import has it by now.

KEYS  1 import key
ARGV  1 import id

returns {1}  freed
        {0}  not its key
]]
local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%S+ (%S+)$') ~= ARGV[1] then return {0} end
redis.call('DEL', KEYS[1])
return {1}
