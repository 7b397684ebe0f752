import { AppError } from '../app-error.ts';
import type { JobStatus } from '../domain/job.ts';
import type { Moved } from '../stores/job-store.ts';

/** What a move that was not made means to the caller who asked for it. */
export function toRefusal(
  moved: Exclude<Moved, { kind: 'moved' }>,
  wanted: 'cancel' | 'retry' | 'resolve',
): AppError {
  switch (moved.kind) {
    case 'claimed':
      return new AppError('conflict', `The record belongs to job ${moved.by}.`);
    case 'fenced':
      return wanted === 'cancel'
        ? new AppError('job_already_started')
        : new AppError('conflict', 'The job changed meanwhile; read it and decide again.');
    case 'refused':
      return moved.status === 'missing'
        ? new AppError(
            'conflict',
            'It is a row of an import and no job now; its import is what can be controlled.',
          )
        : refusedFrom(moved.status, wanted);
  }
}

/** Why a job of this status cannot be cancelled, retried or resolved. */
export function refusedFrom(status: JobStatus, wanted: 'cancel' | 'retry' | 'resolve'): AppError {
  const is = `The job is ${status}.`;
  if (wanted === 'resolve')
    return new AppError('job_not_in_review', `Only jobs in needs_review can be resolved. ${is}`);
  if (wanted === 'retry') {
    return status === 'needs_review'
      ? new AppError('job_needs_resolve')
      : new AppError('job_not_retryable', `Only failed or cancelled jobs can be retried. ${is}`);
  }
  return status === 'succeeded' || status === 'failed'
    ? new AppError('conflict', `Only jobs that have not started can be cancelled. ${is}`)
    : new AppError('job_already_started');
}
