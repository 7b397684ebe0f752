import type { AccountSettings } from '../domain/integrated-account.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { defineScripts, type ScriptPart, type ScriptReply } from '../redis/scripts.ts';
import type { LearnedLimits, ProviderDescriptor } from './port.ts';

/** How fast an account may be called. */
export type Pace = {
  requests: number;
  perMs: number;
  /**
   * Calls that may leave back to back after a pause: half a percent of the limit, at least one. What a burst may take is
   * kept back at all other times, and one over 2 % broke strict windows.
   */
  burst: number;
  concurrency: number;
  /** Part of the daily allocation we may use, 0…1: other applications of the customer share it. */
  dailyShare: number;
};

/** Part of the daily allocation left to others unless the account says otherwise. */
const DAILY_RESERVE_PERCENT = 5;

/** The account's pace: its own setting, else the provider's default. Pure. */
export function paceOf(descriptor: ProviderDescriptor, settings: AccountSettings): Pace {
  const own = settings.rate_limit ?? {};
  const known = descriptor.rateLimit;
  const limit =
    own.requests !== undefined
      ? { requests: own.requests, perMs: (own.per_seconds ?? 1) * 1_000 }
      : known.paceRequestsPerSecond !== undefined
        ? { requests: known.paceRequestsPerSecond, perMs: 1_000 }
        : { requests: known.requests, perMs: known.perSeconds * 1_000 };
  return {
    ...limit,
    burst: Math.max(1, Math.floor(limit.requests * 0.005)),
    concurrency: own.concurrency ?? known.concurrency,
    dailyShare: 1 - (own.daily_reserve_percent ?? DAILY_RESERVE_PERCENT) / 100,
  };
}

export type GateAsk = {
  lease: string;
  leaseMs: number;
  pace: Pace;
  /** Longest wait that may be spent in place. */
  waitMsMax: number;
};

export type Entered =
  /** Wait `waitMs`, then ask again with the same lease, which is held until `leave` or its expiry; 0 = call. */
  | { kind: 'go'; waitMs: number }
  | { kind: 'later'; ms: number; reason: 'blocked' | 'budget' | 'daily' | 'concurrency' | 'pace' };

/** What gate-enter.lua returned. */
export function readEntered([go, ms, reason]: ScriptReply): Entered {
  if (go === 1) return { kind: 'go', waitMs: Number(ms) };
  // The script returns one of exactly these words.
  return { kind: 'later', ms: Number(ms), reason: reason as Extract<Entered, { kind: 'later' }>['reason'] };
}

/** What a call's answer says to the gate. */
export type Leaving = {
  learned?: LearnedLimits;
  learnedFrom?: string;
  /** Blocks the whole account: for a stated time, or for one that grows with every hit in a row. */
  block?: { ms: number } | { firstMs: number; maxMs: number };
  succeeded?: boolean;
};

export type Gate = ReturnType<typeof createGate>;

let leases = 0;

/** The one gate through which every call to a provider passes, shared by all workers. */
export function createGate(options: {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  processId: string;
}) {
  const { keys, partitions } = options;
  const scripts = defineScripts(options.redis);
  const keysOf = (account: string) => {
    const p = partitionOfAccount(account, partitions);
    return [keys.gate(p, account), keys.leases(p, account)] as const;
  };

  return {
    newLease: () => `${options.processId}.${++leases}`,

    /**
     * How the script is asked. Asked again with a lease that is held, by a call that has been waiting, it turns away
     * if a block began meanwhile, and takes the lease; a lease that expired meanwhile has to be had anew.
     */
    question: (account: string, ask: GateAsk): ScriptPart => ({
      keys: keysOf(account),
      args: [
        ask.lease,
        ask.leaseMs,
        ask.pace.requests,
        ask.pace.perMs,
        ask.pace.burst,
        ask.pace.concurrency,
        ask.waitMsMax,
        0,
        ask.pace.dailyShare,
      ],
    }),

    async enter(account: string, ask: GateAsk): Promise<Entered> {
      const { keys, args } = this.question(account, ask);
      return readEntered(await scripts.dwGateEnter(...keys, ...args));
    },

    /** @returns milliseconds for which the account is blocked from now, 0 = not. */
    async leave(account: string, lease: string, leaving: Leaving, nowMs: number): Promise<number> {
      const { learned, block } = leaving;
      const stated = block && 'ms' in block ? Math.max(1, Math.ceil(block.ms)) : 0;
      const growing = block && 'firstMs' in block ? block : undefined;
      const [, ms] = await scripts.dwGateLeave(
        ...keysOf(account),
        lease,
        stated,
        growing?.firstMs ?? 0,
        growing?.maxMs ?? 0,
        leaving.succeeded ? 1 : 0,
        learned?.remaining ?? '',
        learned?.resetAtMs === undefined ? '' : Math.max(0, Math.ceil(learned.resetAtMs - nowMs)),
        learned?.limit ?? '',
        learned?.daily?.used ?? '',
        learned?.daily?.max ?? '',
        leaving.learnedFrom ?? '',
      );
      return Number(ms);
    },
  };
}
