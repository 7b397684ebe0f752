/** Differences beyond this are a broken header, not a clock. */
const SKEW_MS_MAX = 24 * 3_600_000;

/** The provider's clock as its `Date` headers show it, per account. */
export type ProviderClock = {
  learn(account: string, dateHeader: string | undefined, receivedAtMs: number): void;
  /** The provider's time now; our own as long as it never said. */
  at(account: string, nowMs: number): number;
};

export function createProviderClock(): ProviderClock {
  const skews = new Map<string, number>();
  return {
    learn(account, dateHeader, receivedAtMs) {
      const date = dateHeader === undefined ? Number.NaN : Date.parse(dateHeader);
      if (!Number.isNaN(date) && Math.abs(date - receivedAtMs) < SKEW_MS_MAX)
        skews.set(account, date - receivedAtMs);
    },
    at: (account, nowMs) => nowMs + (skews.get(account) ?? 0),
  };
}
