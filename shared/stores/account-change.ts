import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

/**
 * Changes one account in one step, keeps the time it was held, and tells every process.
 *
 * KEYS  1 account
 * ARGV  1 channel  2 account id  3 now ms  4 JSON: field → its allowed values, all of which must hold
 *       5 fields to count up, comma-separated  6 field to remove ('' = none)  7… field, value, …
 *
 * returns {1, count}  changed; count = the new value of the first field counted, else 0
 *         {0}         a guard refuses
 *         {-404}      no such account
 */
const CHANGE = `
local before = redis.call('HMGET', KEYS[1], 'status', 'held_since')
if not before[1] then return {-404} end
local now = tonumber(ARGV[3])
for field, allowed in pairs(cjson.decode(ARGV[4])) do
  local value = redis.call('HGET', KEYS[1], field)
  local holds = false
  for _, one in ipairs(allowed) do holds = holds or one == value end
  if not holds then return {0} end
end
for i = 7, #ARGV, 2 do
  if ARGV[i] == 'status' then
    local holds = ARGV[i + 1] == 'paused' or ARGV[i + 1] == 'needs_reauth'
    if holds and not before[2] then redis.call('HSET', KEYS[1], 'held_since', now) end
    if not holds and before[2] then
      redis.call('HINCRBY', KEYS[1], 'held_total', math.max(0, now - tonumber(before[2])))
      redis.call('HDEL', KEYS[1], 'held_since')
    end
  end
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
local count = 0
for field in string.gmatch(ARGV[5], '[^,]+') do
  local value = redis.call('HINCRBY', KEYS[1], field, 1)
  if count == 0 then count = value end
end
if ARGV[6] ~= '' then redis.call('HDEL', KEYS[1], ARGV[6]) end
redis.call('HSET', KEYS[1], 'updated', now)
redis.call('PUBLISH', ARGV[1], ARGV[2])
return {1, count}
`;

export type AccountChange = {
  /** Fields of the account hash and their new text. */
  set?: Record<string, string>;
  remove?: string;
  countUp?: string[];
  /** Nothing changes unless every field named has one of its values. */
  guards?: Record<string, string[]>;
};

export type AccountChanged = { kind: 'changed'; count: number } | { kind: 'refused' } | { kind: 'missing' };

/** Applies one change atomically; see {@link CHANGE}. */
export async function changeAccount(
  redis: RedisClient,
  keys: Keys,
  partition: number,
  id: string,
  nowMs: number,
  change: AccountChange,
): Promise<AccountChanged> {
  const reply: unknown = await redis.eval(
    CHANGE,
    1,
    keys.account(partition, id),
    keys.accountChanged,
    id,
    nowMs,
    JSON.stringify(change.guards ?? {}),
    change.countUp?.join(',') ?? '',
    change.remove ?? '',
    ...Object.entries(change.set ?? {}).flat(),
  );
  const [code, count] = Array.isArray(reply) ? reply : [];
  if (code === 1) return { kind: 'changed', count: Number(count) };
  return { kind: code === 0 ? 'refused' : 'missing' };
}

/**
 * Writes a new account and its place in the partition's set, unless the id exists.
 *
 * KEYS  1 account  2 accounts of the partition
 * ARGV  1 account id  2 channel  3… field, value, …
 *
 * returns 1 created · 0 the id exists
 */
const CREATE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
`;

/** @returns false when the id exists. */
export async function insertAccount(
  redis: RedisClient,
  keys: Keys,
  partition: number,
  id: string,
  fields: Record<string, string>,
): Promise<boolean> {
  const reply = await redis.eval(
    CREATE,
    2,
    keys.account(partition, id),
    keys.accounts(partition),
    id,
    keys.accountChanged,
    ...Object.entries(fields).flat(),
  );
  return reply === 1;
}
