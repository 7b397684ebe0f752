import type { Candidate, WaitReason } from '../../shared/domain/job.ts';
import type { JobPatch } from '../../shared/stores/job-store.ts';
import { DONE, type NextStep, waitUntil } from '../next-step.ts';
import { nextProbeAtMs } from './decide.ts';
import { hasNativeKey, type Run, type WriterDeps } from './deps.ts';
import { type Failed, jobErrorOf } from './outcome.ts';
import { persist } from './persist.ts';

/** The last attempt this run knows of: what it stores must not overwrite a later one. */
function lastAttemptOf(run: Run, patch: JobPatch): number {
  return patch.attempt?.number ?? run.job.attemptNumber;
}

/** Stores a wait with its reason and time, and gives the message back until then. */
export async function waitInRecord(
  deps: WriterDeps,
  run: Run,
  wait: { untilMs: number; reason: WaitReason; wholeQueue: boolean },
  patch: JobPatch,
): Promise<NextStep> {
  const moved = await persist(run.logger, 'waiting', () =>
    deps.jobs.move(run.job, {
      to: 'waiting',
      attempt: lastAttemptOf(run, patch),
      generation: run.job.generation,
      dueAtMs: wait.untilMs,
      patch: { ...patch, nextAttemptAtMs: wait.untilMs, waitReason: wait.reason },
    }),
  );
  if (moved.kind !== 'moved') return DONE;
  // To wait for one's turn is nothing to tell: a row of an import does so dozens of times.
  const level = wait.reason === 'rate_limited' ? 'debug' : 'info';
  run.logger[level]({ reason: wait.reason, wait_ms: wait.untilMs - deps.clock.nowMs() }, 'job.waiting');
  return waitUntil(wait.untilMs, wait.wholeQueue);
}

/** The grant is dead: the account is parked, and the job waits for new credentials as long as it takes. */
export async function holdForReauth(
  deps: WriterDeps,
  run: Run,
  message: string,
  patch: JobPatch,
): Promise<NextStep> {
  await persist(run.logger, 'needs_reauth', () => deps.accounts.parkForReauth(run.account, message));
  const untilMs = deps.clock.nowMs() + 1_000;
  const moved = await persist(run.logger, 'waiting', () =>
    deps.jobs.move(run.job, {
      to: 'waiting',
      attempt: lastAttemptOf(run, patch),
      generation: run.job.generation,
      patch: { ...patch, nextAttemptAtMs: null, waitReason: 'account_needs_reauth' },
    }),
  );
  return moved.kind === 'moved' ? waitUntil(untilMs) : DONE;
}

/**
 * Ends a job as failed — unless one of its creates was lost: then the provider is asked first, and the failure waits
 * in the record for the answer.
 */
export async function endAsFailed(
  deps: WriterDeps,
  run: Run,
  failed: Failed,
  patch: JobPatch,
): Promise<NextStep> {
  const { job } = run;
  const error = jobErrorOf(failed);
  if (job.unknownSends.length > 0) {
    const now = deps.clock.nowMs();
    const untilMs = nextProbeAtMs(job.unknownSends, 0, run.policy, now, hasNativeKey(run)) ?? now;
    return waitInRecord(
      deps,
      run,
      { untilMs, reason: 'reconciling', wholeQueue: false },
      { ...patch, error, probes: 0 },
    );
  }
  await persist(run.logger, 'failed', () =>
    deps.jobs.move(job, {
      to: 'failed',
      attempt: lastAttemptOf(run, patch),
      generation: job.generation,
      patch: { ...patch, error, nextAttemptAtMs: null, waitReason: null },
    }),
  );
  run.logger.info({ code: failed.code }, 'job.failed');
  return DONE;
}

/** Nobody can know by asking: the job stays open until a person decides. */
export async function askAPerson(
  deps: WriterDeps,
  run: Run,
  candidates: Candidate[],
  why?: string,
): Promise<NextStep> {
  const message =
    why ??
    (candidates.length > 0
      ? `The provider may have the record: ${candidates.length} candidate(s) could not be told apart for certain.`
      : 'The provider may have the record, and cannot be asked well enough to know.');
  await persist(run.logger, 'needs_review', () =>
    deps.jobs.move(run.job, {
      to: 'needs_review',
      generation: run.job.generation,
      onlyIdle: true,
      patch: {
        error: jobErrorOf({ code: 'outcome_unknown', message }),
        candidates,
        nextAttemptAtMs: null,
        waitReason: null,
      },
    }),
  );
  run.logger.warn({ candidates: candidates.length }, 'job.needs_review');
  return DONE;
}
