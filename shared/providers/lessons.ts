import { availabilityOf } from './availability.ts';
import type { Leaving, StatedPace } from './gate.ts';
import type { Pace } from './pace.ts';
import type { AnsweredCall, LearnedLimits, ProviderDescriptor, ProviderRequest } from './port.ts';

/** Waits after limits without a stated time, by scope: they double with every hit in a row. */
const GROWING = {
  account: { firstMs: 2_000, maxMs: 300_000 },
  concurrency: { firstMs: 2_000, maxMs: 60_000 },
  daily: { firstMs: 300_000, maxMs: 3_600_000 },
} as const;
/** A window this short is a pace; a longer one a budget, of which the last second does not matter. */
const SHORT_MS = 10_000;

/**
 * What an answer teaches the gate about limits.
 * @param pace the account's: where it was set for it, nothing counts any more when its window is over; and what is spent at it for
 *   long is no short window.
 */
export function lessonsOf(
  descriptor: ProviderDescriptor,
  request: ProviderRequest,
  answer: AnsweredCall,
  nowMs: number,
  pace: Pick<Pace, 'learns' | 'requests' | 'perMs'>,
): Leaving {
  const learned = readLimits(descriptor, answer, nowMs, pace);
  const source = Object.keys(learned).length > 0 ? 'headers' : undefined;
  const stated = statedPace(request, answer, learned, nowMs);
  if (answer.status < 400)
    return { learned, learnedFrom: source, stated, succeeded: true, availability: 'up' };
  const outcome = descriptor.classify(answer, request);
  const availability = availabilityOf(answer, outcome);
  if (outcome.kind !== 'rate_limited') return { learned, learnedFrom: source, availability };
  if (outcome.limit.scope === 'parent') return { learned, learnedFrom: source, availability, isLocked: true };
  const { untilMs, scope } = outcome.limit;
  const growing = GROWING[scope];
  const firstMs =
    scope === 'account' && !pace.learns ? Math.min(pace.perMs, growing.firstMs) : growing.firstMs;
  const block = untilMs === undefined ? { ...growing, firstMs } : { ms: untilMs - nowMs };
  // A window that is used up has been stated, and says itself when to go on.
  const goSlower = scope !== 'daily' && learned.remaining !== 0;
  return { learned, learnedFrom: source ?? 'limit_answer', block, availability, goSlower };
}

/**
 * The pace that creates may go at. Only a create teaches it: a provider may count other calls apart. A refusal does not:
 * its reset can be a penalty longer than the window.
 */
function statedPace(
  request: ProviderRequest,
  answer: AnsweredCall,
  { limit, windowMs, resetAtMs, ceiling }: LearnedLimits,
  nowMs: number,
): StatedPace | undefined {
  if (request.purpose !== 'create' || answer.status >= 400 || !limit || limit < 1) return undefined;
  if (windowMs === undefined && resetAtMs === undefined) return undefined;
  const withinMs = Math.max(1, Math.round(windowMs ?? (resetAtMs ?? 0) - nowMs));
  return {
    limit,
    withinMs,
    isAtLeast: windowMs === undefined,
    ...(ceiling ? { ceiling: { limit: ceiling.limit, withinMs: ceiling.windowMs } } : {}),
  };
}

/**
 * A reset in steps (whole seconds) is later than the truth by up to one. Within a short window that would stop every
 * account that keeps to its pace once per window; a refusal, though, is waited out as it was stated.
 */
function readLimits(
  descriptor: ProviderDescriptor,
  answer: AnsweredCall,
  nowMs: number,
  { requests, perMs }: Pick<Pace, 'requests' | 'perMs'>,
): LearnedLimits {
  const learned = descriptor.readLimits(answer.headers, nowMs);
  const { resetStepMs } = descriptor.rateLimit;
  const { limit = 0, resetAtMs } = learned;
  if (!resetStepMs || resetAtMs === undefined || answer.status >= 400) return learned;
  // Near its end a long window looks short: what it allows in all shows what it is.
  const windowMs = Math.max(resetAtMs - nowMs, (limit * perMs) / requests);
  return windowMs > SHORT_MS ? learned : { ...learned, resetAtMs: resetAtMs - resetStepMs };
}
