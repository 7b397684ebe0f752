import type { RateLimitHit } from '../../domain/failure.ts';
import type { AnsweredCall, LearnedLimits } from '../port.ts';
import { parseHeaderNumber, parseRetryAfter } from '../retry-after.ts';

/**
 * Close states its limit in several header sets at once, or in none:
 * - `RateLimit: limit=240; remaining=239; reset=2` (documented with commas, sent with semicolons);
 * - `ratelimit-limit` / `-remaining` / `-reset`, and the same with `x-` in front, of the proxy before it;
 * - `X-Rate-Limit-…` until July 2023.
 * A reset is always a number of seconds to wait, with decimals allowed, never a moment.
 * @see https://developer.close.com/api/overview/rate-limits
 */
type Stated = { limit?: number; remaining?: number; resetMs?: number; windowMs?: number };

const FAMILIES = ['ratelimit', 'x-ratelimit', 'x-rate-limit'];

/** Longer waits are not seconds but something misread (a moment in epoch seconds). */
const RESET_SECONDS_MAX = 86_400;

/** The `RateLimit` header; parts that do not parse are ignored. */
export function parseRateLimit(value: string | undefined): Stated {
  const parts = new Map<string, number>();
  for (const part of (value ?? '').split(/[,;]/)) {
    const [name = '', text] = part.split('=');
    const n = parseHeaderNumber(text);
    const key = name.trim().toLowerCase();
    if (n !== undefined && !parts.has(key)) parts.set(key, n);
  }
  return stated(parts.get('limit'), parts.get('remaining'), parts.get('reset'));
}

function stated(limit?: number, remaining?: number, resetSeconds?: number): Stated {
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetSeconds === undefined || resetSeconds > RESET_SECONDS_MAX
      ? {}
      : { resetMs: Math.ceil(resetSeconds * 1000) }),
  };
}

/** One family of three headers. The limit may be a list, `60, 60;w=1, 100;w=1`: the limit that applies, then all. */
function readFamily(headers: Record<string, string>, family: string): Stated {
  if (!['limit', 'remaining', 'reset'].some((name) => headers[`${family}-${name}`] !== undefined)) return {};
  const [applies, ...quotas] = (headers[`${family}-limit`] ?? '').split(',');
  const limit = parseHeaderNumber(applies?.split(';')[0]);
  const own = [applies, ...quotas].find(
    (quota) => parseHeaderNumber(quota?.split(';')[0]) === limit && quota?.includes('w='),
  );
  const windowSeconds = parseHeaderNumber(/w=([\d.]+)/.exec(own ?? '')?.[1]);
  return {
    ...stated(
      limit,
      parseHeaderNumber(headers[`${family}-remaining`]),
      parseHeaderNumber(headers[`${family}-reset`]),
    ),
    ...(limit === undefined || windowSeconds === undefined ? {} : { windowMs: windowSeconds * 1000 }),
  };
}

/** The documented header where it is there, else the first family that says anything. */
export function readLimits(headers: Record<string, string>, nowMs: number): LearnedLimits {
  const families = [parseRateLimit(headers.ratelimit), ...FAMILIES.map((name) => readFamily(headers, name))];
  const found = families.find((family) => Object.keys(family).length > 0);
  if (found === undefined) return {};
  const { resetMs, ...rest } = found;
  // The proxy's own window stands beside the documented one; both apply.
  const ceiling = families.find(
    (family) => family !== found && family.limit !== undefined && family.windowMs !== undefined,
  );
  return {
    ...rest,
    ...(ceiling?.limit && ceiling.windowMs
      ? { ceiling: { limit: ceiling.limit, windowMs: ceiling.windowMs } }
      : {}),
    ...(resetMs === undefined ? {} : { resetAtMs: nowMs + resetMs }),
  };
}

/**
 * When a 429 allows the next call: the reset if that window is used up, else `Retry-After` (some calls have
 * stricter limits of their own, with calls remaining in the window), else what the other headers say.
 */
export function readLimitHit(answer: AnsweredCall): RateLimitHit {
  const own = parseRateLimit(answer.headers.ratelimit);
  const waitMs =
    (own.remaining === 0 ? own.resetMs : undefined) ??
    parseRetryAfter(answer.headers['retry-after'], answer.receivedAtMs) ??
    FAMILIES.map((name) => readFamily(answer.headers, name).resetMs).find((ms) => ms !== undefined);
  return { scope: 'account', ...(waitMs === undefined ? {} : { untilMs: answer.receivedAtMs + waitMs }) };
}
