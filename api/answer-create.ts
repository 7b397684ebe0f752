import type { Response } from 'express';
import { AppError, toJobError } from '../shared/app-error.ts';
import type { ErrorView } from '../shared/contract/error-view.ts';
import { type JobView, viewJob } from '../shared/contract/job-view.ts';
import { isSettled, type JobRecord } from '../shared/domain/job.ts';
import type { Account } from '../shared/stores/account-store.ts';
import { holdOf } from './find-account.ts';
import type { WaitDecision } from './prefer.ts';
import type { Answer } from './send-answer.ts';
import type { JobWaiter } from './wait-for-job.ts';

export type Created = { job: JobRecord; account: Account; replayed: boolean; requestId: string };

/** Whether waiting longer can bring nothing: settled, or held until somebody acts on the account. */
function isOver(job: JobRecord): boolean {
  const { status, waitReason } = job;
  if (isSettled(status)) return true;
  return status === 'waiting' && (waitReason === 'account_paused' || waitReason === 'account_needs_reauth');
}

/** Waits as decided and answers with what came of it. From here on the job is accepted: no fault of ours is a 5xx. */
export async function answerCreate(
  waiter: Pick<JobWaiter, 'wait'>,
  created: Created,
  decision: WaitDecision,
  res: Response,
  nowMs: () => number,
): Promise<Answer> {
  const waits = decision.seconds > 0 && created.account.status === 'active';
  const job = waits ? await waitQuietly(waiter, created.job, decision.seconds, res) : created.job;
  const headers: Record<string, string> = { 'X-Job-Id': job.id };
  if (created.replayed) headers['Idempotency-Replayed'] = 'true';
  if (decision.applied !== undefined) headers['Preference-Applied'] = decision.applied;
  if (decision.seconds > 0 && job.status === 'succeeded')
    return { status: 201, headers, body: job.result ?? null };
  if (decision.seconds > 0 && (job.status === 'failed' || job.status === 'cancelled')) {
    return failed(job, headers, created.requestId);
  }
  const view = viewJob(job, holdOf(created.account), nowMs());
  headers.Location = `/jobs/${job.id}`;
  headers['Retry-After'] = String(retryAfterSeconds(view, nowMs()));
  return { status: 202, headers, body: view };
}

async function waitQuietly(waiter: Pick<JobWaiter, 'wait'>, job: JobRecord, seconds: number, res: Response) {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  try {
    return await waiter.wait(job, { timeoutMs: seconds * 1_000, isOver, signal: gone.signal });
  } catch {
    // The job stands; only its state cannot be read now.
    return job;
  }
}

function failed(job: JobRecord, headers: Record<string, string>, requestId: string): Answer {
  const error =
    job.error ?? toJobError(new AppError(job.status === 'cancelled' ? 'cancelled' : 'worker_fault'));
  const body: ErrorView = { ...error, request_id: requestId, job_id: job.id };
  return { status: error.statusCode, headers, body };
}

/** When asking again makes sense: at the job's next time, at least after a second and at most after an hour. */
function retryAfterSeconds(view: JobView, nowMs: number): number {
  if (view.wait_reason === 'account_paused' || view.wait_reason === 'account_needs_reauth') return 60;
  if (view.next_attempt_at === null) return 1;
  const seconds = Math.ceil((Date.parse(view.next_attempt_at) - nowMs) / 1_000);
  return Math.min(3_600, Math.max(1, seconds));
}
