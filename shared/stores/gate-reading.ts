import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';

/** What is known about an account's limit; undefined where the provider has not said, or it is over. */
export type GateReading = {
  limit?: number;
  remaining?: number;
  resetAtMs?: number;
  /** No call before then, but for one if the provider was down. */
  blockedUntilMs?: number;
  /** The provider is down: it is asked again at `blockedUntilMs`. */
  isDown: boolean;
  /** Where the numbers come from, as `headers`. */
  source?: string;
};

export type ReadGate = (account: string, nowMs: number) => Promise<GateReading>;

/** Reads what the gate learned. Read only: the gate itself keeps the hash. */
export function createGateReader(deps: { redis: RedisClient; keys: Keys; partitions: number }): ReadGate {
  return async (account, nowMs) => {
    const key = deps.keys.gate(partitionOfAccount(account, deps.partitions), account);
    const fields = await deps.redis.hmget(key, 'limit', 'rem', 'rem_reset', 'block', 'probe_at', 'source');
    const [limit, remaining, resetAtMs, block, probeAtMs] = fields.slice(0, 5).map(toNumber);
    const blockedUntilMs = Math.max(block ?? 0, probeAtMs ?? 0);
    const isCurrent = resetAtMs !== undefined && resetAtMs > nowMs;
    return {
      limit,
      // What was left of a window that is over says nothing about this one.
      remaining: isCurrent && remaining !== undefined ? Math.max(0, remaining) : undefined,
      resetAtMs: isCurrent ? resetAtMs : undefined,
      blockedUntilMs: blockedUntilMs > nowMs ? blockedUntilMs : undefined,
      isDown: probeAtMs !== undefined,
      source: fields[5] || undefined,
    };
  };
}

function toNumber(text: string | null | undefined): number | undefined {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
