import type { DeliveryReason } from '../../shared/domain/webhook.ts';
import { parseRetryAfter } from '../../shared/providers/retry-after.ts';

/** How one call to a receiver ended. */
export type Posted =
  | { kind: 'answered'; status: number; retryAfter?: string; body: string }
  /** No answer: refused by the outbound policy, unreachable, reset, or too late. */
  | { kind: 'unanswered'; error: string };

export type DeliveryDecision =
  | { kind: 'delivered' }
  | { kind: 'retry'; atMs: number; blockedUntilMs?: number }
  | { kind: 'failed'; reason: DeliveryReason };

/** Only upwards: receivers that failed together must not be called together, and never before the stated time. */
const JITTER = 0.1;
/** A longer stated time is taken for a mistake; the schedule's own longest wait is this long, too. */
const RETRY_AFTER_MAX_MS = 24 * 3_600_000;
/** One overloaded answer holds back the endpoint's other deliveries for at most this long. */
const BLOCK_MAX_MS = 3_600_000;

/** Five days of nothing but failures disable an endpoint. */
export const FAILING_MS = 5 * 24 * 3_600_000;

/**
 * What is next for a delivery. 2xx alone is success: a redirect would lead to an address nobody registered.
 * @param tried tries of this round, this one included.
 * @param scheduleMs waits before each try of a round, the first one's included.
 * @param random 0 ≤ random < 1.
 */
export function decideDelivery(
  posted: Posted,
  tried: number,
  scheduleMs: readonly number[],
  nowMs: number,
  random: number,
): DeliveryDecision {
  if (posted.kind === 'answered' && posted.status >= 200 && posted.status < 300) return { kind: 'delivered' };
  if (posted.kind === 'answered' && posted.status === 410) return { kind: 'failed', reason: 'endpoint_gone' };
  const waitMs = scheduleMs[tried];
  if (waitMs === undefined) return { kind: 'failed', reason: 'attempts_exhausted' };
  const stated =
    posted.kind === 'answered' && (posted.status === 429 || posted.status === 503)
      ? parseRetryAfter(posted.retryAfter, nowMs)
      : undefined;
  const statedMs = Math.min(stated ?? 0, RETRY_AFTER_MAX_MS);
  const atMs = nowMs + Math.round(Math.max(statedMs, waitMs) * (1 + JITTER * random));
  if (statedMs === 0) return { kind: 'retry', atMs };
  return { kind: 'retry', atMs, blockedUntilMs: nowMs + Math.min(statedMs, BLOCK_MAX_MS) };
}

/** Whether an endpoint that has only failed since `failingSinceMs` (0 = it is well) is to be disabled. */
export function isFailingTooLong(failingSinceMs: number, nowMs: number): boolean {
  return failingSinceMs > 0 && nowMs - failingSinceMs >= FAILING_MS;
}
