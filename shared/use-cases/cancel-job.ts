import { AppError, toJobError } from '../app-error.ts';
import type { JobRecord } from '../domain/job.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import type { JobStore } from '../stores/job-store.ts';
import { refusedFrom, toRefusal } from './job-errors.ts';

export type CancelDeps = {
  jobs: Pick<JobStore, 'move'>;
  queues: Pick<AccountQueues, 'remove'>;
};

/**
 * Cancels a job whose first attempt has not started. Cancelling a cancelled job changes nothing.
 * @throws AppError 409 when it has started, reconciling included.
 */
export async function cancelJob(deps: CancelDeps, job: JobRecord): Promise<void> {
  if (job.status === 'cancelled') return;
  // Without an attempt, too, a job may have been written: a batch had it, or Redis was restored since.
  const isBegun = job.attemptNumber > 0 || job.unknownSends.length > 0;
  if (isBegun || (job.status !== 'queued' && job.status !== 'waiting')) {
    throw refusedFrom(job.status, 'cancel');
  }
  const moved = await deps.jobs.move(job, {
    to: 'cancelled',
    from: ['queued', 'waiting'],
    // Attempt 0 is the last one: a start that came first fences us.
    attempt: 0,
    generation: job.generation,
    onlyIdle: true,
    onlyUnsent: true,
    patch: { error: toJobError(new AppError('cancelled')), nextAttemptAtMs: null, waitReason: null },
  });
  if (moved.kind !== 'moved') throw toRefusal(moved, 'cancel');
  // Whoever finds the engine job skips an ended record; taking it out only saves the trip.
  await deps.queues.remove(job.account, job.id, job.generation).catch(() => {});
}
