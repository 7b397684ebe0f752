const dayMs = 86_400_000;
const bucketMs = 600_000;

/**
 * The org's daily calls over a rolling 24 hours, in buckets of ten minutes: capacity returns as old calls leave
 * the window, not at midnight. Source: Salesforce App Limits Cheatsheet, API Request Limits and Allocations.
 */
export type Allocation = {
  /** Counts one call. */
  spend(nowMs: number): void;
  used(nowMs: number): number;
};

export function createAllocation(): Allocation {
  const buckets: { startMs: number; calls: number }[] = [];
  let total = 0;
  const forget = (nowMs: number): void => {
    for (
      let oldest = buckets[0];
      oldest !== undefined && oldest.startMs <= nowMs - dayMs;
      oldest = buckets[0]
    ) {
      total -= oldest.calls;
      buckets.shift();
    }
  };
  return {
    spend(nowMs) {
      forget(nowMs);
      const startMs = Math.floor(nowMs / bucketMs) * bucketMs;
      const latest = buckets.at(-1);
      if (latest?.startMs === startMs) latest.calls += 1;
      else buckets.push({ startMs, calls: 1 });
      total += 1;
    },
    used(nowMs) {
      forget(nowMs);
      return total;
    },
  };
}
