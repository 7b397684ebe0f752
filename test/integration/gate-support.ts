import { randomUUID } from 'node:crypto';
import { createGate, type GateAsk, type Leaving, type Slot } from '../../shared/providers/gate.ts';
import type { Pace } from '../../shared/providers/pace.ts';
import type { RedisClient } from '../../shared/redis/connect.ts';
import type { Keys } from '../../shared/redis/keys.ts';

const PARTITIONS = 1;
/** Fields of the gate that hold a moment. */
const TIMES =
  /^(tat|bulk_tat|bulk_at|own_tat|own_due|kept|block|rem_reset|daily_at|probe_at|seen|factor_at|met_at|left\d+)$/;

export function aPace(overrides: Partial<Pace> = {}): Pace {
  return {
    requests: 10,
    perMs: 1_000,
    burst: 1,
    concurrency: 1_000,
    dailyShare: 1,
    learns: false,
    ...overrides,
  };
}

export type VirtualGate = ReturnType<typeof aGate>;

/**
 * The gate of a fresh account with a clock that can be set forward. The scripts go by the clock of Redis; time passes
 * here by moving everything they stored into the past.
 */
export function aGate({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  const account = randomUUID();
  const gate = createGate({ redis, keys, partitions: PARTITIONS, processId: 'test', random: () => chance });
  const gateKey = keys.gate(0, account);
  const leasesKey = keys.leases(0, account);
  let passedMs = 0;
  let chance = 0;

  return {
    account,
    gateKey,
    leasesKey,
    async enter(pace: Pace, { leaseMs = 600_000, waitMsMax = 0, ...more }: Partial<GateAsk> = {}) {
      const lease = gate.newLease();
      return { ...(await gate.enter(account, { ...more, lease, leaseMs, pace, waitMsMax })), lease };
    },
    /** As a call does that has been waiting. */
    again: (lease: string, pace: Pace, more: Partial<GateAsk> = {}) =>
      gate.enter(account, { lease, leaseMs: 600_000, pace, waitMsMax: 0, ...more }),
    /** What the gate is told when it asks for chance, 0…1. */
    setChance: (value: number) => {
      chance = value;
    },
    /** The call that got `slot` left, on the clock of this gate. */
    leftLate: ({ place }: Slot, atMs: number) => gate.leftLate(account, place, atMs - passedMs),
    /** When a call that got `slot` should leave, on the clock of this gate. */
    momentOf: ({ leaveAtMs }: Slot) => leaveAtMs + passedMs,
    leases: () => redis.zrange(leasesKey, '0', '-1'),
    leave: (lease: string, leaving: Leaving = {}, nowMs = 0) => gate.leave(account, lease, leaving, nowMs),

    /** Moment of the slot given last, on the clock of this gate; a slot saved up lies before `now`. */
    async lastSlotMs(pace: Pace): Promise<number> {
      return Number(await redis.hget(gateKey, 'tat')) - intervalOf(pace) + passedMs;
    },

    async nowMs(): Promise<number> {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000 + Number(micros) / 1_000 + passedMs;
    },

    async advance(ms: number): Promise<void> {
      passedMs += ms;
      const [stored, leases] = await Promise.all([
        redis.hgetall(gateKey),
        redis.zrange(leasesKey, '0', '-1', 'WITHSCORES'),
      ]);
      const moved = Object.entries(stored).flatMap(([field, at]) =>
        TIMES.test(field) ? [field, Number(at) - ms] : [],
      );
      const scored: (string | number)[] = [];
      for (let i = 0; i < leases.length; i += 2) scored.push(Number(leases[i + 1]) - ms, String(leases[i]));
      await Promise.all([
        moved.length > 0 && redis.hset(gateKey, ...moved),
        scored.length > 0 && redis.zadd(leasesKey, ...scored),
      ]);
    },
  };
}

/**
 * Time from one slot to the next: a burst is paid for, so that no window ever holds more than the limit, and calls do
 * not arrive exactly as they were spaced.
 */
export function intervalOf(pace: Pace): number {
  const windowMs = pace.perMs + Math.min(pace.perMs * 0.015, 15);
  return windowMs / (pace.requests - pace.burst + 1);
}

/** Most moments in any half-open stretch of `perMs`. */
export function fullestWindow(moments: number[], perMs: number): number {
  const sorted = [...moments].sort((a, b) => a - b);
  let fullest = 0;
  let from = 0;
  for (const [to, moment] of sorted.entries()) {
    while ((sorted[from] ?? moment) <= moment - perMs) from++;
    fullest = Math.max(fullest, to - from + 1);
  }
  return fullest;
}
