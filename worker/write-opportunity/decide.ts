/** What to do after an attempt or a probe. Pure: the clock and chance come as arguments. */
import type { WriteFailure } from '../../shared/domain/failure.ts';
import type { AccountSettings } from '../../shared/domain/integrated-account.ts';
import type { UnknownSend } from '../../shared/domain/job.ts';

export type Policy = {
  maxAttempts: number;
  deadlineMs: number;
  settleMs: number;
  probes: number;
};

/** Attempts and deadline of an account that says nothing else. */
export const DEFAULT_RETRY = { maxAttempts: 8, deadlineMs: 24 * 3_600_000 } as const;

export function policyOf(settings: AccountSettings, provider: { settleMs: number; probes: number }): Policy {
  return {
    maxAttempts: settings.retry?.max_attempts ?? DEFAULT_RETRY.maxAttempts,
    deadlineMs:
      settings.retry?.deadline_seconds !== undefined
        ? settings.retry.deadline_seconds * 1_000
        : DEFAULT_RETRY.deadlineMs,
    settleMs: settings.reconcile?.settle_ms ?? provider.settleMs,
    probes: settings.reconcile?.probes ?? provider.probes,
  };
}

/** Where a job stands when a decision is due. */
export type Standing = {
  /** Attempts that count, this one included. */
  attemptsSpent: number;
  /** Limit answers in a row without a stated time, this one included. */
  limitHits: number;
  /** When the job must be over: moves while the account is held. */
  deadlineAtMs: number;
};

export type Decision =
  | { kind: 'fail'; code: string }
  | { kind: 'wait'; untilMs: number; reason: 'retry_backoff' | 'rate_limited'; wholeQueue: boolean }
  | { kind: 'hold' }
  | { kind: 'reconcile' };

const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 300_000;
const ROW_LOCK_MAX_MS = 30_000;

/**
 * Exponential backoff with full jitter: anywhere between a quarter second and 2^n seconds, at most `maxMs`.
 * @param n 1 for the first wait.
 * @param random 0 ≤ random < 1.
 */
export function backoffMs(n: number, random: number, maxMs = BACKOFF_MAX_MS): number {
  const ceiling = Math.min(maxMs, BACKOFF_FIRST_MS * 2 ** Math.min(n, 30));
  return Math.round(250 + random * (ceiling - 250));
}

export function decide(
  failure: WriteFailure,
  standing: Standing,
  policy: Policy,
  nowMs: number,
  random: number,
): Decision {
  switch (failure.kind) {
    case 'permanent':
      return { kind: 'fail', code: failure.code };
    case 'ambiguous':
      return { kind: 'reconcile' };
    case 'needs_reauth':
      return { kind: 'hold' };
    case 'rate_limited': {
      const { untilMs, scope } = failure.limit;
      // A stated time is kept as it is: jitter goes only upward. Without one the gate holds the account; the job comes
      // back when a growing wait is over, and asks the gate.
      const locked = scope === 'parent';
      const wait = backoffMs(standing.limitHits, random, locked ? ROW_LOCK_MAX_MS : BACKOFF_MAX_MS);
      const at = untilMs === undefined ? nowMs + wait : untilMs + Math.round(random * 250);
      return withinDeadline(
        { kind: 'wait', untilMs: at, reason: 'rate_limited', wholeQueue: !locked },
        standing,
      );
    }
    case 'retryable':
      if (standing.attemptsSpent >= policy.maxAttempts) return { kind: 'fail', code: 'attempts_exhausted' };
      return withinDeadline(
        {
          kind: 'wait',
          untilMs: nowMs + backoffMs(standing.attemptsSpent, random),
          reason: 'retry_backoff',
          wholeQueue: false,
        },
        standing,
      );
  }
}

function withinDeadline(wait: Extract<Decision, { kind: 'wait' }>, standing: Standing): Decision {
  return wait.untilMs > standing.deadlineAtMs ? { kind: 'fail', code: 'deadline_exceeded' } : wait;
}

/**
 * When a lost create can no longer appear at the provider.
 * @param sentByMs when its request had left at the latest.
 */
export function verdictAtMs(sentByMs: number, timeoutMs: number, policy: Policy): number {
  return sentByMs + timeoutMs + policy.settleMs;
}

/**
 * When to look (again) for the record of a lost create: at 1/2^(n-1) … 1/2, 1 of the time until the verdict, so that
 * an early answer is found early and the last look is the one that counts. A unique native key needs no settling.
 * @param done probes made so far.
 * @returns undefined when all are made.
 */
export function nextProbeAtMs(
  sends: readonly UnknownSend[],
  done: number,
  policy: Policy,
  nowMs: number,
  nativeKey: boolean,
): number | undefined {
  if (sends.length === 0) return undefined;
  if (nativeKey) return done === 0 ? nowMs + 1_500 : nowMs + Math.min(1_500 * 2 ** done, 60_000);
  const verdictMs = Math.max(...sends.map((sent) => sent.verdictAtMs));
  if (done >= policy.probes) return nowMs >= verdictMs ? undefined : verdictMs;
  const span = Math.max(0, verdictMs - nowMs);
  return done === policy.probes - 1
    ? verdictMs
    : nowMs + Math.max(1_000, Math.round(span / 2 ** (policy.probes - 1 - done)));
}
