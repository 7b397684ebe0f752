import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { WRITE_EVENT_LUA } from '../redis/scripts.ts';
import { type EventRef, encodeEvent, type NewEvent } from './event-store.ts';

/**
 * Changes one account in one step, keeps the time it was held, and tells every process.
 *
 * KEYS  1 account  2 event:A  3 outbox
 * ARGV  1 channel  2 account id  3 now ms  4 JSON: field → its allowed values, all of which must hold
 *       5 fields to count up, comma-separated  6 field to remove ('' = none)
 *       7 event text ('' = none)  8 status it must have had for the event  9… field, value, …
 *
 * returns {1, count, event}  changed; count = the new value of the first field counted, else 0; event = its sequence, else 0
 *         {0}         a guard refuses
 *         {-404}      no such account
 */
const CHANGE = `${WRITE_EVENT_LUA}
local before = redis.call('HMGET', KEYS[1], 'status', 'held_since')
if not before[1] then return {-404} end
local now = tonumber(ARGV[3])
for field, allowed in pairs(cjson.decode(ARGV[4])) do
  local value = redis.call('HGET', KEYS[1], field)
  local holds = false
  for _, one in ipairs(allowed) do holds = holds or one == value end
  if not holds then return {0} end
end
for i = 9, #ARGV, 2 do
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
local event = 0
if before[1] == ARGV[8] then event = write_event({ KEYS[2], KEYS[3] }, { ARGV[7], ARGV[2], now }) end
return {1, count, event}
`;

export type AccountChange = {
  /** Fields of the account hash and their new text. */
  set?: Record<string, string>;
  remove?: string;
  countUp?: string[];
  /** Nothing changes unless every field named has one of its values. */
  guards?: Record<string, string[]>;
  /** Written in the same step if the status was this one before. */
  event?: NewEvent & { from: string };
};

export type AccountChanged =
  | { kind: 'changed'; count: number; event?: EventRef }
  | { kind: 'refused' }
  | { kind: 'missing' };

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
    3,
    keys.account(partition, id),
    keys.event(partition, id),
    keys.outbox(partition),
    keys.accountChanged,
    id,
    nowMs,
    JSON.stringify(change.guards ?? {}),
    change.countUp?.join(',') ?? '',
    change.remove ?? '',
    encodeEvent(change.event),
    change.event?.from ?? '',
    ...Object.entries(change.set ?? {}).flat(),
  );
  const [code, count, event] = Array.isArray(reply) ? reply : [];
  if (code === 1) {
    const ref = { tag: partition, id: `${id}.${event}` };
    return { kind: 'changed', count: Number(count), ...(event > 0 ? { event: ref } : {}) };
  }
  return { kind: code === 0 ? 'refused' : 'missing' };
}

/**
 * Writes a new account and its place in the partition's set, unless the id exists, or was another workspace's: keys, claims and
 * records of that one are found by the id for as long as they are kept.
 *
 * KEYS  1 account  2 accounts of the partition  3 workspace of an account of this id that is gone
 * ARGV  1 account id  2 channel  3 workspace  4… field, value, …
 *
 * returns 1 created · 0 the id exists, or existed elsewhere
 */
const CREATE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local former = redis.call('GET', KEYS[3])
if former and former ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
`;

/** @returns false when the id exists, or was another workspace's. */
export async function insertAccount(
  redis: RedisClient,
  keys: Keys,
  partition: number,
  id: string,
  fields: Record<string, string> & { workspace: string },
): Promise<boolean> {
  const reply = await redis.eval(
    CREATE,
    3,
    keys.account(partition, id),
    keys.accounts(partition),
    keys.formerOwner(partition, id),
    id,
    keys.accountChanged,
    fields.workspace,
    ...Object.entries(fields).flat(),
  );
  return reply === 1;
}
