import type { WindowState } from './provider.ts';

export type LimitWindow = {
  /** Counts a call if there is room. */
  take(nowMs: number): boolean;
  state(nowMs: number): WindowState;
};

/** Begins with a call and ends `perMs` later, all at once, as an hour that is stated by its reset. */
export function createFixedWindow(limit: number, perMs: number): LimitWindow {
  let used = 0;
  let endMs = 0;
  const state = (nowMs: number): WindowState =>
    nowMs < endMs
      ? { limit, used, remaining: limit - used, resetAtMs: endMs }
      : { limit, used: 0, remaining: limit, resetAtMs: nowMs + perMs };
  return {
    take(nowMs) {
      const now = state(nowMs);
      if (now.remaining <= 0) return false;
      used = now.used + 1;
      endMs = now.resetAtMs;
      return true;
    },
    state,
  };
}

/**
 * Strict sliding window: never more than `limit` calls in any stretch of `perMs`. Keeps the time of each
 * counted call and forgets it once; refused calls do not count. O(1) amortised.
 */
export function createSlidingWindow(limit: number, perMs: number): LimitWindow {
  let times: number[] = [];
  let head = 0;
  const forget = (nowMs: number): void => {
    const horizon = nowMs - perMs;
    for (let at = times[head]; at !== undefined && at <= horizon; at = times[head]) head += 1;
    // Compacts only when half of the array is dead, so that each entry is moved at most once on average.
    if (head > 1024 && head * 2 > times.length) {
      times = times.slice(head);
      head = 0;
    }
  };
  return {
    take(nowMs) {
      forget(nowMs);
      if (times.length - head >= limit) return false;
      times.push(nowMs);
      return true;
    },
    state(nowMs) {
      forget(nowMs);
      const used = times.length - head;
      const oldest = times[head];
      return {
        limit,
        used,
        remaining: Math.max(0, limit - used),
        resetAtMs: oldest === undefined ? nowMs + perMs : oldest + perMs,
      };
    },
  };
}
