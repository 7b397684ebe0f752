import type { WriteFailure } from '../../shared/domain/failure.ts';
import type { Attempt, InFlight, UnknownSend } from '../../shared/domain/job.ts';
import type { CallResult, WritePlan } from '../../shared/providers/port.ts';
import type { NextStep } from '../next-step.ts';
import { decide, nextProbeAtMs, verdictAtMs } from './decide.ts';
import { deadlineOf, hasNativeKey, type Run, type WriterDeps } from './deps.ts';
import { endAsFailed, holdForReauth, waitInRecord } from './endings.ts';
import { persist } from './persist.ts';
import type { Planned } from './plan.ts';
import { redactedRequest, redactedResponse } from './redact.ts';

type Plan = Extract<Planned, { kind: 'plan' }>;

/** What is kept of it: the provider's own words, without secrets. */
export function describeFailure(
  attempt: Attempt,
  failure: WriteFailure,
  plan: WritePlan,
  result: CallResult,
): void {
  attempt.outcome = failure.kind === 'needs_reauth' ? 'permanent' : failure.kind;
  attempt.code = failure.code;
  attempt.message = failure.message;
  attempt.httpStatus = failure.httpStatus;
  attempt.request = redactedRequest(plan.create);
  attempt.response = redactedResponse(result);
}

type Sent = {
  attempt: Attempt;
  inFlight: InFlight;
  /** It was sent to see whether the provider is there. */
  isProbe: boolean;
};

/** What follows from a create that was begun and is not known to have been written. */
export async function settleFailure(
  deps: WriterDeps,
  run: Run,
  planned: Plan,
  failure: WriteFailure,
  { attempt, inFlight, isProbe }: Sent,
): Promise<NextStep> {
  const { job } = run;
  const now = deps.clock.nowMs();
  // Sent to see whether the provider is there, and it is not: that says nothing of the job.
  const spends =
    (failure.kind === 'retryable' && !isProbe) ||
    failure.kind === 'ambiguous' ||
    failure.kind === 'permanent';
  const attemptsSpent = job.attemptsSpent + (spends ? 1 : 0);
  const limitHits = failure.kind === 'rate_limited' ? job.limitHits + 1 : 0;
  const decision = decide(
    failure,
    { attemptsSpent, limitHits, deadlineAtMs: deadlineOf(run, now) },
    run.policy,
    now,
    deps.random(),
  );
  const patch = { attempt, attemptsSpent, limitHits, inFlight: null } as const;
  if (failure.kind !== 'ambiguous' && !run.marker && job.unknownSends.length === 0) {
    await deps.unknowns.settle(job, planned.fingerprint, planned.plan.parentId);
  }
  switch (decision.kind) {
    case 'fail':
      return endAsFailed(deps, run, { ...failure, code: decision.code }, patch);
    case 'wait':
      return waitInRecord(deps, run, decision, patch);
    case 'hold':
      return holdForReauth(deps, run, failure.message, patch);
    case 'reconcile':
      return beginReconciling(deps, run, planned, lostSend(run, failure, inFlight, now), patch, now);
  }
}

async function beginReconciling(
  deps: WriterDeps,
  run: Run,
  planned: Plan,
  send: UnknownSend,
  patch: { attempt: Attempt; attemptsSpent: number; limitHits: number; inFlight: null },
  now: number,
): Promise<NextStep> {
  if (!run.marker && planned.plan.parentId) {
    const { parentId } = planned.plan;
    await persist(run.logger, 'parent block', () => deps.unknowns.block(run.job, parentId));
  }
  const unknownSends = [...run.job.unknownSends, send];
  const untilMs = nextProbeAtMs(unknownSends, 0, run.policy, now, hasNativeKey(run)) ?? now;
  return waitInRecord(
    deps,
    run,
    { untilMs, reason: 'reconciling', wholeQueue: false },
    { ...patch, unknownSends, probes: 0, fingerprint: planned.fingerprint },
  );
}

function lostSend(run: Run, failure: WriteFailure, inFlight: InFlight, nowMs: number): UnknownSend {
  // This process saw how the call ended: whatever it sent had left by now.
  const send = unknownSendOf(inFlight, run, Math.min(inFlight.sendBeforeMs, nowMs));
  const isHeld = failure.kind === 'ambiguous' && failure.keyHeldBy !== undefined;
  return isHeld ? { ...send, keyHeldBy: failure.keyHeldBy } : send;
}

/**
 * What is known about a create whose answer is lost.
 * @param sentByMs when its request had left at the latest; after a crash nobody knows better than `sendBeforeMs`.
 */
export function unknownSendOf(inFlight: InFlight, run: Run, sentByMs: number): UnknownSend {
  return {
    attempt: inFlight.attempt,
    sentAtProviderMs: inFlight.sentAtProviderMs,
    verdictAtMs: verdictAtMs(sentByMs, inFlight.timeoutMs, run.policy),
    marker: inFlight.marker,
    grant: inFlight.grant,
    sender: inFlight.sender,
  };
}
