import type { ProviderName } from './provider.ts';

export const faultKinds = [
  'rate_limit',
  'status',
  'reset_before_commit',
  'reset_after_commit',
  'hang_before_commit',
  'hang_after_commit',
  'late_commit',
  'expire_token',
  'lock_row',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export type FaultRequest = {
  provider: ProviderName;
  kind: FaultKind;
  match?: { method?: string; path?: string; body?: string; authorization?: string };
  /** How many matching calls it hits; -1: until deleted. */
  times?: number;
  /** How many matching calls are let through first. */
  skip?: number;
  /** Chance that a matching call is hit; drawn from a generator seeded with `seed`. */
  probability?: number;
  seed?: number;
  /** kind status only: run the handler, then answer the status instead of its answer. */
  after_commit?: boolean;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delay_ms?: number;
  /** kind late_commit only: when the connection is reset; absent: it stays open until the commit. */
  reset_after_ms?: number;
  retry_after_s?: number;
  /** kind lock_row only: the call runs, and each record it writes meets a lock with this chance. */
  row_rate?: number;
};

export type Fault = FaultRequest & { id: string; remaining: number; hits: number };

export type Candidate = { method: string; path: string; authorization: string; body: () => string };

export type Faults = {
  add(request: FaultRequest): Fault;
  list(): Fault[];
  remove(which: { provider?: string; id?: string }): number;
  /** The first fault that hits this call, already counted down. */
  take(provider: ProviderName, call: Candidate): Fault | undefined;
};

type Armed = { fault: Fault; skip: number; pathMatches: (path: string) => boolean; random: () => number };

export function createFaults(): Faults {
  let armed: Armed[] = [];
  let lastId = 0;
  return {
    add(request) {
      lastId += 1;
      const fault: Fault = { ...request, id: String(lastId), remaining: request.times ?? 1, hits: 0 };
      armed.push({
        fault,
        skip: request.skip ?? 0,
        pathMatches: pathMatcher(request.match?.path),
        random: createRandom(request.seed ?? 1),
      });
      return fault;
    },
    list: () => armed.map((entry) => entry.fault),
    remove(which) {
      const before = armed.length;
      armed = armed.filter(
        ({ fault }) =>
          (which.provider !== undefined && fault.provider !== which.provider) ||
          (which.id !== undefined && fault.id !== which.id),
      );
      return before - armed.length;
    },
    take(provider, call) {
      for (const entry of armed) {
        const { fault } = entry;
        if (fault.provider !== provider || fault.remaining === 0 || !matches(entry, call)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        if (fault.probability !== undefined && entry.random() >= fault.probability) continue;
        if (fault.remaining > 0) fault.remaining -= 1;
        fault.hits += 1;
        return fault;
      }
      return undefined;
    },
  };
}

function matches({ fault: { match }, pathMatches }: Armed, call: Candidate): boolean {
  if (match === undefined) return true;
  if (match.method !== undefined && match.method.toUpperCase() !== call.method) return false;
  if (!pathMatches(call.path)) return false;
  if (match.authorization !== undefined && !call.authorization.includes(match.authorization)) return false;
  return match.body === undefined || call.body().includes(match.body);
}

/**
 * `/…/` is a regular expression only when something between the slashes could not be a plain path:
 * `/opportunity/` is a path of Close, `/opportunity\/$/` is not.
 */
export function pathMatcher(path: string | undefined): (path: string) => boolean {
  if (path === undefined || path === '') return () => true;
  const inner = path.length > 2 && path.startsWith('/') && path.endsWith('/') ? path.slice(1, -1) : '';
  if (!/[\\^$*+?()[\]{}|]/.test(inner)) return (candidate) => candidate.includes(path);
  const pattern = new RegExp(inner);
  return (candidate) => pattern.test(candidate);
}

/** Mulberry32: small, fast, and the same sequence for the same seed on every machine. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
