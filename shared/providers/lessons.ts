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
 * @param pace the account's: where it was set for it, nothing counts any more when its window is over.
 */
export function lessonsOf(
  descriptor: ProviderDescriptor,
  request: ProviderRequest,
  answer: AnsweredCall,
  nowMs: number,
  pace: Pick<Pace, 'learns' | 'perMs'>,
): Leaving {
  const learned = descriptor.readLimits(answer.headers, nowMs);
  // A refusal is waited out as it was stated.
  const resetStepMs = answer.status < 400 ? descriptor.rateLimit.resetStepMs : undefined;
  const source = Object.keys(learned).length > 0 ? 'headers' : undefined;
  const stated = statedPace(request, answer, learned, nowMs, resetStepMs);
  if (answer.status < 400)
    return { learned, learnedFrom: source, resetStepMs, stated, succeeded: true, availability: 'up' };
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
 * its reset can be a penalty longer than the window. A reset in steps (whole seconds) is later than the truth by up to one, which would make a
 * window of a second last for two.
 */
function statedPace(
  request: ProviderRequest,
  answer: AnsweredCall,
  { limit, windowMs, resetAtMs, ceiling }: LearnedLimits,
  nowMs: number,
  resetStepMs = 0,
): StatedPace | undefined {
  if (request.purpose !== 'create' || answer.status >= 400 || !limit || limit < 1) return undefined;
  if (windowMs === undefined && resetAtMs === undefined) return undefined;
  const leftMs = (resetAtMs ?? 0) - nowMs;
  const withinMs = Math.max(1, Math.round(windowMs ?? (leftMs > SHORT_MS ? leftMs : leftMs - resetStepMs)));
  return {
    limit,
    withinMs,
    isAtLeast: windowMs === undefined,
    ...(ceiling ? { ceiling: { limit: ceiling.limit, withinMs: ceiling.windowMs } } : {}),
  };
}
