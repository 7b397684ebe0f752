import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { AccountFacts, ProviderName } from '../domain/integrated-account.ts';
import type { JobRecord, JobRequest } from '../domain/job.ts';
import type { OpportunityInput } from '../domain/opportunity.ts';
import type { ProviderDescriptor } from '../providers/port.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import { PRIORITY } from '../queues/messages.ts';
import type { Account } from '../stores/account-store.ts';
import type { JobPatch, JobStore } from '../stores/job-store.ts';
import { refusedFrom, toRefusal } from './job-errors.ts';
import { planOpportunity } from './plan-opportunity.ts';
import { ring } from './submit-opportunity.ts';

export type RetryDeps = {
  accounts: { facts(id: string): Promise<AccountFacts | undefined> };
  jobs: Pick<JobStore, 'move'>;
  queues: Pick<AccountQueues, 'add' | 'ring'>;
  descriptorOf: (provider: ProviderName) => ProviderDescriptor;
  clock: Clock;
};

/** What a retry changes of the request; absent parts stay. */
export type Correction = { body?: OpportunityInput; query?: Partial<JobRequest['query']> };

/** A fresh budget; history, marker and what is unknown about earlier sends stay. */
export const AFRESH: JobPatch = {
  attemptsSpent: 0,
  limitHits: 0,
  faults: 0,
  error: undefined,
  nextAttemptAtMs: null,
  waitReason: null,
  firstAttemptAtMs: null,
};

/**
 * Queues a failed or cancelled job again, with the same marker.
 * @throws AppError 409 from any other status; 400 when a correction is not usable.
 */
export async function retryJob(
  deps: RetryDeps,
  job: JobRecord,
  account: Account,
  correction: Correction,
): Promise<void> {
  if (job.status !== 'failed' && job.status !== 'cancelled') throw refusedFrom(job.status, 'retry');
  const isCorrected = correction.body !== undefined || correction.query !== undefined;
  const corrected = isCorrected ? await correct(deps, job, account, correction) : {};
  await reopen(deps, job, 'retry', { ...AFRESH, ...corrected });
}

async function correct(
  deps: RetryDeps,
  job: JobRecord,
  account: Account,
  correction: Correction,
): Promise<JobPatch> {
  const query = { ...job.request.query, ...correction.query };
  // What stands in the record passed this schema when it was accepted.
  const body = correction.body ?? (job.request.body as OpportunityInput);
  const planned = planOpportunity({
    descriptor: deps.descriptorOf(account.provider),
    settings: account.settings,
    body,
    query,
    facts: await deps.accounts.facts(account.id),
    jobId: job.id,
    nowMs: deps.clock.nowMs(),
  });
  if (!planned.ok) throw planned.error;
  return {
    request: { query, body },
    appliedDefaults: planned.appliedDefaults,
    warnings: planned.warnings,
    corrections: job.corrections + 1,
  };
}

/** Puts a job that stands still back into its queue under a new generation. */
export async function reopen(
  deps: Pick<RetryDeps, 'jobs' | 'queues'>,
  job: JobRecord,
  wanted: 'retry' | 'resolve',
  patch: JobPatch,
): Promise<void> {
  const moved = await deps.jobs.move(job, {
    to: 'queued',
    from: [job.status],
    generation: job.generation,
    newGeneration: true,
    patch,
  });
  if (moved.kind !== 'moved') throw toRefusal(moved, wanted);
  await deps.queues.add(job.account, job.id, moved.generation, PRIORITY.interactive);
  ring(deps, job.account);
}

/** @throws AppError 409 unless the job succeeded and some of its follow-up calls failed. */
export async function retryFollowUps(
  deps: Pick<RetryDeps, 'jobs' | 'queues'>,
  job: JobRecord,
): Promise<void> {
  const failed = Object.entries(job.followUps).filter(([, state]) => state !== 'done');
  if (job.status !== 'succeeded' || failed.length === 0) {
    throw new AppError(
      'conflict',
      'Only succeeded jobs with follow-up calls that failed have some to repeat.',
    );
  }
  const followUps = Object.fromEntries(Object.entries(job.followUps).filter(([, state]) => state === 'done'));
  // Result and warnings stay until there are new ones: the record is written, whatever becomes of what follows.
  await reopen(deps, job, 'retry', { ...AFRESH, followUps });
}
