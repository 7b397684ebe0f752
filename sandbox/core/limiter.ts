import type { LimitHint, WindowState } from './provider.ts';
import { createFixedWindow, createSlidingWindow, type LimitWindow } from './window.ts';

/** The generic switches of `POST /_control/limits`, one set per provider. */
export type GenericLimits = {
  requests: number;
  perMs: number;
  window: 'sliding' | 'fixed';
  concurrency: number;
  latencyMs: number;
  latencyJitterMs: number;
};

export type Admission = { admitted: true; state: WindowState } | { admitted: false; hint: LimitHint };

/** One provider's limits: a window and a count of calls in flight per credential. */
export type Limiter = {
  limits(): GenericLimits;
  /** Changes what is stated (undefined leaves as it is) and starts new windows. */
  set(change: Partial<GenericLimits>): void;
  reset(): void;
  /** Admits or refuses a call; an admitted one is in flight until `release`. */
  admit(credential: string, nowMs: number): Admission;
  release(credential: string): void;
};

const unlimited: GenericLimits = {
  requests: 0,
  perMs: 1000,
  window: 'sliding',
  concurrency: 0,
  latencyMs: 0,
  latencyJitterMs: 0,
};
// A made-up credential per call must not grow the map for ever.
const credentialsMax = 50_000;

export function createLimiter(): Limiter {
  let limits = { ...unlimited };
  let windows = new Map<string, LimitWindow>();
  let inFlight = new Map<string, number>();
  const windowOf = (credential: string): LimitWindow => {
    let window = windows.get(credential);
    if (window === undefined) {
      if (windows.size >= credentialsMax) windows = new Map();
      const create = limits.window === 'fixed' ? createFixedWindow : createSlidingWindow;
      window = create(limits.requests, limits.perMs);
      windows.set(credential, window);
    }
    return window;
  };
  return {
    limits: () => limits,
    set(change) {
      const stated = Object.entries(change).filter(([, value]) => value !== undefined);
      limits = { ...limits, ...Object.fromEntries(stated) };
      windows = new Map();
    },
    reset() {
      limits = { ...unlimited };
      windows = new Map();
      inFlight = new Map();
    },
    admit(credential, nowMs) {
      const running = inFlight.get(credential) ?? 0;
      if (limits.concurrency > 0 && running >= limits.concurrency) {
        const hint = { resetAtMs: nowMs + 1000, limit: limits.concurrency, remaining: 0 };
        return { admitted: false, hint: { ...hint, reason: 'concurrency' } };
      }
      let state: WindowState = { limit: 0, remaining: 0, resetAtMs: nowMs, used: 0 };
      if (limits.requests > 0) {
        const window = windowOf(credential);
        const taken = window.take(nowMs);
        state = window.state(nowMs);
        if (!taken) return { admitted: false, hint: { ...state, reason: 'window' } };
      }
      inFlight.set(credential, running + 1);
      return { admitted: true, state };
    },
    release(credential) {
      const running = inFlight.get(credential) ?? 0;
      if (running <= 1) inFlight.delete(credential);
      else inFlight.set(credential, running - 1);
    },
  };
}
