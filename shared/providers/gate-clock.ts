/** Bounds older than two of these are forgotten: the clocks of two machines drift apart by some ms a minute. */
const KEPT_MS = 10_000;

type Bounds = { leastMs: number; mostMs: number };
const UNKNOWN: Bounds = { leastMs: Number.NEGATIVE_INFINITY, mostMs: Number.POSITIVE_INFINITY };

/**
 * The clock of Redis, as far ahead of ours as its answers prove: what it read lies between the question and the answer,
 * and the quickest of either bounds the difference within a fraction of a millisecond. Ours is one that never jumps.
 */
export function createGateClock(ownMs: () => number = () => performance.now()) {
  let sinceMs = Number.NEGATIVE_INFINITY;
  let before = UNKNOWN;
  let latest = UNKNOWN;

  function aheadMs(): number {
    const least = Math.max(before.leastMs, latest.leastMs);
    const most = Math.min(before.mostMs, latest.mostMs);
    return (least + most) / 2;
  }

  return {
    ownMs,

    /** Its clock read `thereMs` at a moment between `askedMs` and now. */
    learn(askedMs: number, thereMs: number): void {
      const now = ownMs();
      const seen = { leastMs: thereMs - now, mostMs: thereMs - askedMs };
      const isSet =
        seen.leastMs > Math.min(before.mostMs, latest.mostMs) ||
        seen.mostMs < Math.max(before.leastMs, latest.leastMs);
      if (isSet || now - sinceMs > KEPT_MS) {
        // A clock that was set contradicts what was known of it.
        before = isSet ? UNKNOWN : latest;
        latest = seen;
        sinceMs = now;
        return;
      }
      latest = {
        leastMs: Math.max(latest.leastMs, seen.leastMs),
        mostMs: Math.min(latest.mostMs, seen.mostMs),
      };
    },

    /** What it reads now; only after `learn`. */
    nowMs: () => ownMs() + aheadMs(),
  };
}
