import type { Answer, LimitHint, WindowState } from '../core/provider.ts';

/** The vendor's hourly limit, told while the sandbox itself sets none ("Handling API responses"). */
const TOLD_LIMIT = 4000;
const TOLD_WINDOW_MS = 3_600_000;

/** Every success tells the limit; the reset is a point in time, in whole seconds since 1970. */
export function successHeaders(state: WindowState, nowMs: number): Record<string, string> {
  return state.limit === 0
    ? limitHeaders(TOLD_LIMIT, TOLD_LIMIT - 1, nowMs + TOLD_WINDOW_MS)
    : limitHeaders(state.limit, state.remaining, state.resetAtMs);
}

/** Says `error` where every other answer says `message`, and has no Retry-After. */
export function limitAnswer(hint: LimitHint, nowMs: number): Answer {
  const resetAtMs = hint.retryAfterS === undefined ? hint.resetAtMs : nowMs + hint.retryAfterS * 1000;
  return {
    status: 429,
    headers: limitHeaders(hint.limit === 0 ? TOLD_LIMIT : hint.limit, 0, resetAtMs),
    body: { error: 'rate limit reached' },
  };
}

function limitHeaders(limit: number, remaining: number, resetAtMs: number): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(Math.ceil(resetAtMs / 1000)),
  };
}
