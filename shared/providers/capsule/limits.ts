import type { RateLimitHit } from '../../domain/failure.ts';
import type { AnsweredCall, LearnedLimits } from '../port.ts';
import { parseHeaderNumber, parseRetryAfter } from '../retry-after.ts';

/**
 * Capsule states its limit on every answer: `X-RateLimit-Limit`, `-Remaining`, and `-Reset` as a moment in
 * epoch seconds on its own clock. Corrected here by the answer's `Date`, which is the same clock.
 * @see https://developer.capsulecrm.com/v2/overview/handling-api-responses
 */
export function readLimits(headers: Record<string, string>, nowMs: number): LearnedLimits {
  const limit = parseHeaderNumber(headers['x-ratelimit-limit']);
  const remaining = parseHeaderNumber(headers['x-ratelimit-remaining']);
  const resetAtMs = readReset(headers, nowMs);
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetAtMs === undefined ? {} : { resetAtMs }),
  };
}

/** Smaller numbers cannot be a moment in this century. */
const EPOCH_SECONDS_MIN = 1_000_000_000;

/**
 * The reset on our clock. `Date` has whole seconds, cut off: a difference below one shows no skew, and taken for one it
 * would make a window of a second last for two.
 */
function readReset(headers: Record<string, string>, receivedAtMs: number): number | undefined {
  const seconds = parseHeaderNumber(headers['x-ratelimit-reset']);
  if (seconds === undefined || seconds < EPOCH_SECONDS_MIN) return undefined;
  const providerMs = Date.parse(headers.date ?? '');
  const skewMs = Number.isNaN(providerMs) ? 0 : receivedAtMs - providerMs;
  return Math.ceil(seconds * 1000) + (skewMs >= 0 && skewMs < 1_000 ? 0 : skewMs);
}

/** A 429 has no `Retry-After` of Capsule's own; one from a proxy is taken where no reset is stated. */
export function readLimitHit(answer: AnsweredCall): RateLimitHit {
  const { headers, receivedAtMs } = answer;
  const waitMs = parseRetryAfter(headers['retry-after'], receivedAtMs);
  const untilMs =
    readReset(headers, receivedAtMs) ?? (waitMs === undefined ? undefined : receivedAtMs + waitMs);
  return { scope: 'account', ...(untilMs === undefined ? {} : { untilMs }) };
}
