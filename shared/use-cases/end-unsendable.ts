import { AppError, toJobError } from '../app-error.ts';
import type { JobError, JobRecord, JobStatus, Written } from '../domain/job.ts';
import { formatResult } from '../providers/format-result.ts';
import type { JobStore } from '../stores/job-store.ts';

export const ACCOUNT_GONE: JobError = toJobError(
  new AppError('account_needs_reauth', 'The account was deleted.'),
);

/**
 * Ends an open job whose account has no credentials any more, so that it can neither go on nor be asked about: what was written has
 * succeeded, what surely was not fails, and what may have been needs a person.
 * @returns whether it ended; false: it moved meanwhile, or needs a person.
 */
export async function endUnsendable(
  jobs: Pick<JobStore, 'move'>,
  job: JobRecord,
  error: JobError,
): Promise<boolean> {
  const at = { attempt: job.attemptNumber, generation: job.generation };
  const ended = { nextAttemptAtMs: null, waitReason: null } as const;
  if (job.written) {
    // Its follow-ups were to be repeated: from `queued` no job succeeds.
    if (job.status === 'queued') {
      const running = await jobs.move(job, { to: 'running', from: ['queued'], ...at });
      if (running.kind !== 'moved') return false;
    }
    const moved = await jobs.move(job, {
      to: 'succeeded',
      from: ['running', 'waiting'],
      ...at,
      patch: { ...ended, ...resultOfUnread(job, job.written), error: undefined },
    });
    return moved.kind === 'moved';
  }
  const isInDoubt = job.unknownSends.length > 0 || job.inFlight !== undefined;
  const to: JobStatus = isInDoubt ? 'needs_review' : 'failed';
  const from = ['queued', 'running', 'waiting'] as const;
  const moved = await jobs.move(job, { to, from, ...at, patch: { ...ended, error } });
  return moved.kind === 'moved' && !isInDoubt;
}

/** Of a record that is written and that nobody can read any more. */
export function resultOfUnread(job: JobRecord, written: Written) {
  const message =
    'The record was written and could not be read back: the account was deleted. The answer holds what is known of it.';
  const opportunity = { id: written.remoteId, remote_data: written.answer };
  return {
    result:
      job.result ?? formatResult({ opportunity, answer: written.answer, isWhole: false }, job.request.query),
    warnings: [...job.warnings, { code: 'read_back_failed' as const, message }],
  };
}
