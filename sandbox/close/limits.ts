import type { Answer, LimitHint, WindowState } from '../core/provider.ts';
import type { CloseOptions } from './options.ts';

/** The recorded figures, told while the sandbox itself sets no limit. */
const TOLD_LIMIT = 240;
const TOLD_RESET_S = 2;

type Told = { limit: number; remaining: number; resetS: number };

/** Limit headers of an admitted call. They may be missing altogether: a live tester saw none in 500 calls. */
export function successHeaders(
  state: WindowState,
  options: CloseOptions,
  nowMs: number,
): Record<string, string> {
  const told: Told =
    state.limit === 0
      ? { limit: TOLD_LIMIT, remaining: TOLD_LIMIT - 1, resetS: TOLD_RESET_S }
      : { limit: state.limit, remaining: state.remaining, resetS: secondsUntil(state.resetAtMs, nowMs) };
  switch (options.ratelimitHeader) {
    case 'absent':
    case 'retry_after_only':
      return {};
    case 'old':
      return oldHeaders(told);
    default:
      return { ...currentHeader(told, options), ...gatewayHeaders() };
  }
}

/**
 * The refusal. RateLimit and Retry-After are both promised, the latter rounded up to whole seconds; some calls have
 * stricter hidden limits and show `remaining` above 0 ("Rate Limits").
 */
export function limitAnswer(hint: LimitHint, options: CloseOptions, nowMs: number): Answer {
  const resetS = hint.retryAfterS ?? secondsUntil(hint.resetAtMs, nowMs);
  const limit = hint.limit === 0 ? TOLD_LIMIT : hint.limit;
  const isHidden = hint.reason === 'concurrency';
  const told = { limit, remaining: isHidden ? Math.max(1, limit - 1) : hint.remaining, resetS };
  return {
    status: 429,
    headers: { ...limitHeaders(told, options), 'content-type': 'application/json' },
    body: limitBody(told, options),
  };
}

function limitHeaders(told: Told, options: CloseOptions): Record<string, string> {
  const retryAfter = { 'retry-after': String(Math.ceil(told.resetS)) };
  switch (options.ratelimitHeader) {
    case 'absent':
      return {};
    case 'retry_after_only':
      return retryAfter;
    case 'old':
      return oldHeaders(told);
    default:
      return { ...currentHeader(told, options), ...gatewayHeaders(), ...retryAfter };
  }
}

/** Documented with commas; every recording has semicolons. `reset` is a decimal number of seconds to wait. */
function currentHeader(told: Told, options: CloseOptions): Record<string, string> {
  const separator = options.ratelimitHeader === 'comma' ? ', ' : '; ';
  const parts = [`limit=${told.limit}`, `remaining=${told.remaining}`, `reset=${told.resetS}`];
  return { ratelimit: parts.join(separator) };
}

/** The gateway's own set, for another window; its limit is a list, not a number. */
function gatewayHeaders(): Record<string, string> {
  return {
    'x-ratelimit-limit': '60, 60;w=1, 100;w=1',
    'x-ratelimit-remaining': '59',
    'x-ratelimit-reset': '1',
    'ratelimit-limit': '60',
    'ratelimit-remaining': '59',
    'ratelimit-reset': '1',
  };
}

/** The names in use until July 2023 (changelog). */
function oldHeaders(told: Told): Record<string, string> {
  return {
    'x-rate-limit-limit': String(told.limit),
    'x-rate-limit-remaining': String(told.remaining),
    'x-rate-limit-reset': String(told.resetS),
  };
}

/** Larger than a double holds exactly, as seen on the wire; so it is put into the text after serialising. */
const ENDPOINT_GROUP = '13567893571258756001';

/** The body has been deprecated since April 2024 (changelog); before, it was an object in `error`, or flat. */
function limitBody(told: Told, options: CloseOptions): string | undefined {
  if (options.limitBody === 'none') return undefined;
  const facts = {
    message: 'API call count exceeded for this 15 second window.',
    rate_endpoint_group: 'GROUP',
    rate_limit: told.limit,
    rate_limit_type: 'api_key',
    rate_reset: told.resetS,
    rate_window: 15,
  };
  const body = options.limitBody === 'object' ? { error: facts } : facts;
  return JSON.stringify(body).replace('"GROUP"', ENDPOINT_GROUP);
}

function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(0, Math.round(atMs - nowMs)) / 1000;
}
