import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { defineScripts, type ScriptPart, type ScriptReply } from '../redis/scripts.ts';
import { createGateClock } from './gate-clock.ts';
import type { Pace } from './pace.ts';
import type { LearnedLimits } from './port.ts';

/** When a call should leave, and its place in the ring of such moments ('' = none); all times on the clock of Redis. */
export type Slot = { nowMs: number; leaveAtMs: number; place: string };

export type GateAsk = {
  lease: string;
  leaseMs: number;
  pace: Pace;
  /** Longest wait that may be spent in place. */
  waitMsMax: number;
  /** Bulk work leaves a part of everything to interactive work. */
  isBulk?: boolean;
  /** Record the write hangs on: whoever meets a lock there slows down only what hangs on it, too. */
  parentId?: string;
};

export type Entered =
  /**
   * Wait `waitMs`, then ask again with the same lease, which is held until `leave` or its expiry; 0 = call, at the moment of
   * its `slot`. `intervalMs`: what lies between two slots. `isProbe`: the provider was down, and this is the one call let through to see whether it still is.
   */
  | { kind: 'go'; waitMs: number; intervalMs?: number; slot?: Slot; isProbe?: true }
  | {
      kind: 'later';
      ms: number;
      reason: 'blocked' | 'down' | 'budget' | 'daily' | 'concurrency' | 'parent' | 'reserve' | 'pace';
    };

/** What gate-enter.lua returned. */
export function readEntered([go, ms, third, now, leaveAt, place]: ScriptReply): Entered {
  if (go === 1 && place === undefined) return { kind: 'go', waitMs: Number(ms), intervalMs: Number(third) };
  if (go === 1) {
    const slot = { nowMs: Number(now), leaveAtMs: Number(leaveAt), place: String(place) };
    return { kind: 'go', waitMs: 0, slot, ...(third === 1 ? { isProbe: true } : {}) };
  }
  // The script returns one of exactly these words.
  return { kind: 'later', ms: Number(ms), reason: third as Extract<Entered, { kind: 'later' }>['reason'] };
}

/** So many calls within so many milliseconds. */
type Window = { limit: number; withinMs: number };

export type StatedPace = Window & {
  /** `withinMs` is only the time to a reset: the window is at least that long. */
  isAtLeast: boolean;
  /** Another window that applies as well. */
  ceiling?: Window;
};

/** What a call's answer says to the gate. */
export type Leaving = {
  learned?: LearnedLimits;
  learnedFrom?: string;
  /** Blocks the whole account: for a stated time, or for one that grows with every hit in a row. */
  block?: { ms: number } | { firstMs: number; maxMs: number };
  succeeded?: boolean;
  /** Whether the provider is there at all; undefined: the call says nothing about it. */
  availability?: 'up' | 'down';
  /** The limit that creates are under, as it was stated. */
  stated?: StatedPace;
  /** A limit was met that was not stated before. */
  goSlower?: boolean;
  /** As the gate was asked with it. */
  parentId?: string;
  /** A row under that parent was locked. */
  isLocked?: boolean;
  /** Calls the account may have at once; what a lock is measured by, and how far answers can overtake each other. */
  concurrency?: number;
  /** Steps in which `learned.resetAtMs` is rounded up. */
  resetStepMs?: number;
  /** It had its slot, and nothing was sent. */
  unsent?: true;
};

export type Circuit = 'opened' | 'closed' | 'held_open';

export type Left = {
  /** The account is blocked for this long from now, 0 = not. */
  blockedMs: number;
  /** This call opened or closed the account's circuit, or was a probe in vain. */
  circuit?: Circuit;
};

/**
 * What bulk work leaves of the window, the calls at once and the known budget: a person's create never waits behind an
 * import for longer than one call.
 */
const INTERACTIVE_SHARE = 0.1;

/**
 * An account whose provider is down is not called, but for one call per interval that shows whether it still is. So
 * many calls in a row open the circuit, whatever jobs they were of; the interval doubles with every probe in vain.
 */
const CIRCUIT = { opensAfter: 5, firstMs: 2_000, maxMs: 300_000 } as const;

/** What gate-leave.lua returned. */
export function readLeft([, ms, circuit]: ScriptReply): Left {
  // The script returns one of exactly these words.
  return { blockedMs: Number(ms), ...(circuit ? { circuit: circuit as Circuit } : {}) };
}

/** The end of a call that the gate was not told of yet: by `say`, or in one step with another write, see leave-and-move.lua. */
export type Farewell = {
  part: ScriptPart;
  /** What came of it, where it was told with another write. */
  said: (reply: ScriptReply) => void;
  /** Tells it, unless it was told. */
  say: () => void;
};

export type Gate = ReturnType<typeof createGate>;

let leases = 0;

/** The one gate through which every call to a provider passes, shared by all workers. */
export function createGate(options: {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  processId: string;
  /** Chance, for the time between probes. */
  random?: () => number;
}) {
  const { keys, partitions, random = Math.random } = options;
  const scripts = defineScripts(options.redis);
  const keysOf = (account: string, parentId: string | undefined) => {
    const p = partitionOfAccount(account, partitions);
    const gate = keys.gate(p, account);
    const parent = parentId === undefined ? gate : keys.parentLocks(p, account, parentId);
    return [gate, keys.leases(p, account), parent] as const;
  };

  return {
    /** The clock that slots go by. */
    clock: createGateClock(),

    newLease: () => `${options.processId}.${++leases}`,

    /**
     * How the script is asked. Asked again with a lease that is held, by a call that has been waiting, it turns away
     * if a block began meanwhile, and takes the lease; a lease that expired meanwhile has to be had anew.
     */
    question: (account: string, ask: GateAsk): ScriptPart => ({
      keys: keysOf(account, ask.parentId),
      args: [
        JSON.stringify({
          lease: ask.lease,
          lease_ms: ask.leaseMs,
          requests: ask.pace.requests,
          per: ask.pace.perMs,
          burst: ask.pace.burst,
          at_once: ask.pace.concurrency,
          patience: ask.waitMsMax,
          reserve: ask.isBulk ? INTERACTIVE_SHARE : 0,
          daily_share: ask.pace.dailyShare,
          learns: ask.pace.learns,
        }),
      ],
    }),

    async enter(account: string, ask: GateAsk): Promise<Entered> {
      const { keys, args } = this.question(account, ask);
      return readEntered(await scripts.dwGateEnter(...keys, ...args));
    },

    /** The call in this place left at `atMs`, on the clock of Redis, and not at its moment: whoever comes a window later counts from there. */
    async leftLate(account: string, place: string, atMs: number): Promise<void> {
      const [gate] = keysOf(account, undefined);
      await scripts.dwGateLate(gate, place, atMs.toFixed(3));
    },

    /** How the script is told of a call's end. */
    farewell(account: string, lease: string, leaving: Leaving, nowMs: number): ScriptPart {
      const { learned, block } = leaving;
      const growing = block && 'firstMs' in block ? block : undefined;
      return {
        keys: keysOf(account, leaving.parentId),
        args: [
          JSON.stringify({
            lease,
            at_once: leaving.concurrency ?? 1,
            ok: leaving.succeeded,
            there: leaving.availability,
            ...(leaving.availability === 'down'
              ? {
                  opens_after: CIRCUIT.opensAfter,
                  probe_first: CIRCUIT.firstMs,
                  probe_max: CIRCUIT.maxMs,
                  chance: random(),
                }
              : {}),
            block: block && 'ms' in block ? Math.max(1, Math.ceil(block.ms)) : undefined,
            grow_first: growing?.firstMs,
            grow_max: growing?.maxMs,
            remaining: learned?.remaining,
            reset:
              learned?.resetAtMs === undefined
                ? undefined
                : Math.max(0, Math.ceil(learned.resetAtMs - nowMs)),
            step: leaving.resetStepMs,
            limit: learned?.limit,
            daily_used: learned?.daily?.used,
            daily_max: learned?.daily?.max,
            source: leaving.learnedFrom,
            stated: leaving.stated?.limit,
            stated_ms: leaving.stated?.withinMs,
            stated_least: leaving.stated?.isAtLeast || undefined,
            ceiling: leaving.stated?.ceiling?.limit,
            ceiling_ms: leaving.stated?.ceiling?.withinMs,
            slower: leaving.goSlower || undefined,
            locked: leaving.isLocked,
            unsent: leaving.unsent,
          }),
        ],
      };
    },

    async say({ keys, args }: ScriptPart): Promise<Left> {
      return readLeft(await scripts.dwGateLeave(...keys, ...args));
    },

    leave(account: string, lease: string, leaving: Leaving, nowMs: number): Promise<Left> {
      return this.say(this.farewell(account, lease, leaving, nowMs));
    },
  };
}
