import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';

/** What is known about an account's limit; undefined where the provider has not said, or it is over. */
export type GateReading = {
  limit?: number;
  /** The limit is for so long. */
  windowMs?: number;
  remaining?: number;
  resetAtMs?: number;
  /** No call before then, but for one if the provider was down. */
  blockedUntilMs?: number;
  /** The provider is down: it is asked again at `blockedUntilMs`. */
  isDown: boolean;
  /** Creates a second that the provider's answers allow; undefined where they say nothing. */
  perSecond?: number;
  /** Part of the pace that is used after limits nobody had stated, 0…1. */
  factor: number;
  /** A rolling day's allocation as last heard; undefined: there is none, or it has not been said. */
  daily?: { used: number; max: number };
  /** Where the numbers come from, as `headers`. */
  source?: string;
};

export type ReadGate = (account: string, nowMs: number) => Promise<GateReading>;

const DAY_MS = 86_400_000;

/** Of the gate's hash; `source` is the last. */
const FIELDS = [
  'limit',
  'rem',
  'rem_reset',
  'block',
  'probe_at',
  'stated',
  'stated_ms',
  'factor',
  'daily_used',
  'daily_max',
  'source',
] as const;

/** Reads what the gate learned. Read only: the gate itself keeps the hash. */
export function createGateReader(deps: { redis: RedisClient; keys: Keys; partitions: number }): ReadGate {
  return async (account, nowMs) => {
    const key = deps.keys.gate(partitionOfAccount(account, deps.partitions), account);
    const fields = await deps.redis.hmget(key, ...FIELDS);
    const known = Object.fromEntries(FIELDS.map((field, i) => [field, toNumber(fields[i])]));
    const { limit, rem, rem_reset, stated, stated_ms, daily_max, daily_used, probe_at } = known;
    const blockedUntilMs = Math.max(known.block ?? 0, probe_at ?? 0);
    const shown = {
      blockedUntilMs: blockedUntilMs > nowMs ? blockedUntilMs : undefined,
      isDown: probe_at !== undefined,
      perSecond: stated && stated_ms ? (stated * 1_000) / stated_ms : undefined,
      factor: known.factor ?? 1,
      daily: daily_max === undefined ? undefined : { used: daily_used ?? 0, max: daily_max },
      source: fields.at(-1) || undefined,
    };
    // Only a rolling day is stated: how much of it is left, and never when it begins anew.
    if (limit === undefined && daily_max !== undefined)
      return {
        ...shown,
        limit: daily_max,
        windowMs: DAY_MS,
        remaining: Math.max(0, daily_max - (daily_used ?? 0)),
      };
    const isCurrent = rem_reset !== undefined && rem_reset > nowMs;
    return {
      ...shown,
      limit,
      windowMs: limit === stated ? stated_ms : undefined,
      // What was left of a window that is over says nothing about this one.
      remaining: isCurrent && rem !== undefined ? Math.max(0, rem) : undefined,
      resetAtMs: isCurrent ? rem_reset : undefined,
    };
  };
}

function toNumber(text: string | null | undefined): number | undefined {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
