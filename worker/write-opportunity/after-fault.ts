import { isSettled } from '../../shared/domain/job.ts';
import { ERROR_CATALOGUE } from '../../shared/errors.ts';
import { isStoreUnavailable } from '../../shared/redis/unavailable.ts';
import { UnreadableRecord } from '../../shared/stores/job-codec.ts';
import { DONE, type NextStep } from '../next-step.ts';
import type { Run, WriterDeps } from './deps.ts';
import { askAPerson, endAsFailed, waitInRecord } from './endings.ts';

/** Runs of a job that may end in an exception before it is given up, and the time after the first; it doubles. */
const FAULTS_MAX = 5;
const AGAIN_MS = 30_000;
const AGAIN_MS_MAX = 600_000;

/**
 * What follows from an exception out of a step: a bug of ours. The job runs again a few times, since another worker, or the
 * next answer of the provider, may not meet it. Then it ends: as failed where nothing was sent, and where something was, a
 * person is asked.
 * @throws `err` itself where Redis is the reason, or a record that only a newer version reads: neither is the job's doing, and it
 * must not end by it. The engine forgets the message, and the orphan sweep brings it back.
 */
export async function afterFault(deps: WriterDeps, run: Run, err: unknown): Promise<NextStep> {
  if (isStoreUnavailable(err) || err instanceof UnreadableRecord) throw err;
  const job = await deps.jobs.find(run.job.id);
  // What this run knew may be old by now: whoever has the job since goes on with it.
  const isStillOurs =
    job !== undefined &&
    !isSettled(job.status) &&
    job.generation === run.job.generation &&
    job.attemptNumber === run.job.attemptNumber;
  const faults = (job?.faults ?? 0) + 1;
  run.logger.error({ err, faults }, 'job.fault');
  if (!isStillOurs) return DONE;
  const now = { ...run, job };
  // What may be on the wire is taken over by the next run, before anything is decided.
  if (faults < FAULTS_MAX || job.inFlight) {
    const waitMs = Math.min(AGAIN_MS * 2 ** (faults - 1), AGAIN_MS_MAX);
    const untilMs = deps.clock.nowMs() + waitMs;
    return waitInRecord(deps, now, { untilMs, reason: 'retry_backoff', wholeQueue: false }, { faults });
  }
  const { written } = job;
  if (written || job.unknownSends.length > 0) {
    const what = written ? `has the record ${written.remoteId}` : 'may have the record';
    const why = `The provider ${what}; the worker met a bug each time it went on with this job.`;
    return askAPerson(deps, now, job.candidates, why);
  }
  return endAsFailed(
    deps,
    now,
    { code: 'worker_fault', message: ERROR_CATALOGUE.worker_fault.meaning },
    { faults },
  );
}
