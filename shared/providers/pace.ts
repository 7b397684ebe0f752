import type { AccountSettings } from '../domain/integrated-account.ts';
import type { ProviderDescriptor } from './port.ts';

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
  /** What the provider states, or its refusals show, replaces it: nobody set it for the account. */
  learns: boolean;
};

/** Part of the daily allocation left to others unless the account says otherwise. */
const DAILY_RESERVE_PERCENT = 5;

/** The account's pace: its own setting, else the provider's default, until the provider says otherwise. Pure. */
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
    learns: own.requests === undefined,
    dailyShare: 1 - (own.daily_reserve_percent ?? DAILY_RESERVE_PERCENT) / 100,
  };
}
