import { z } from 'zod';
import { toIso, toIsoOrNull } from '../clock.ts';
import { type AccountStatus, PROVIDERS } from '../domain/integrated-account.ts';
import {
  ATTEMPT_OUTCOMES,
  type Attempt,
  JOB_STATUSES,
  type JobRecord,
  type JobRequest,
  type JobStatus,
  WAIT_REASONS,
} from '../domain/job.ts';
import { ErrorView, viewKeptError } from './error-view.ts';

const nullableTime = z.string().nullable();

/** A job as every answer, list and webhook shows it. */
export const JobView = z
  .object({
    id: z.string(),
    object: z.literal('job'),
    status: z.enum(JOB_STATUSES),
    provider: z.enum(PROVIDERS),
    integrated_account_id: z.string(),
    import_id: z.string().nullable(),
    resource: z.literal('crm/opportunities'),
    method: z.literal('create'),
    created_at: z.string(),
    updated_at: z.string(),
    finished_at: nullableTime,
    next_attempt_at: nullableTime,
    wait_reason: z.enum(WAIT_REASONS).nullable(),
    warnings: z.array(z.object({ code: z.string(), pointer: z.string().optional(), message: z.string() })),
    applied_defaults: z.record(z.string(), z.unknown()),
    idempotency_key: z.string().nullable(),
    request: z.object({
      query: z.record(z.string(), z.unknown()).meta({
        description: 'Its options, by the names they are sent with; a retry takes them as they are.',
      }),
      body: z.record(z.string(), z.unknown()),
    }),
    attempts: z.array(
      z.object({
        number: z.int(),
        started_at: z.string(),
        finished_at: nullableTime,
        duration_ms: z.int().nullable(),
        outcome: z.enum(ATTEMPT_OUTCOMES).nullable(),
        http_status: z.int().nullable(),
        code: z.string().nullable(),
        message: z.string().nullable(),
        request: z.unknown().optional(),
        response: z.unknown().optional(),
      }),
    ),
    marker: z
      .string()
      .meta({ description: "The job's id: what is written into the provider's record to find it again." }),
    candidates: z.array(z.object({ remote_id: z.string(), url: z.string(), why: z.string() })).optional(),
    sequence: z.int(),
    result: z.unknown().nullable(),
    error: ErrorView.nullable(),
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof JobView>;

/** What of the account shows on a job that has not begun: it waits for the account, not for itself. */
export type AccountHold = {
  status: AccountStatus;
  blockedUntilMs?: number;
  /** The block is for a provider that is down, not for a limit. */
  isDown?: boolean;
};

function viewAttempt(attempt: Attempt): JobView['attempts'][number] {
  const ended = attempt.finishedAtMs;
  return {
    number: attempt.number,
    started_at: toIso(attempt.startedAtMs),
    finished_at: toIsoOrNull(ended),
    duration_ms: ended === undefined ? null : ended - attempt.startedAtMs,
    outcome: attempt.outcome ?? null,
    http_status: attempt.httpStatus ?? null,
    code: attempt.code ?? null,
    message: attempt.message ?? null,
    ...(attempt.request === undefined ? {} : { request: attempt.request }),
    ...(attempt.response === undefined ? {} : { response: attempt.response }),
  };
}

/** What a hold says of jobs that have not begun; undefined: nothing holds them now. */
function waitOf(hold: AccountHold | undefined, nowMs: number) {
  if (hold?.status === 'paused') return { reason: 'account_paused', nextMs: undefined } as const;
  if (hold?.status === 'needs_reauth') return { reason: 'account_needs_reauth', nextMs: undefined } as const;
  if (hold?.blockedUntilMs === undefined || hold.blockedUntilMs <= nowMs) return undefined;
  return { reason: hold.isDown ? 'retry_backoff' : 'rate_limited', nextMs: hold.blockedUntilMs } as const;
}

/** Status, reason and next time as they are for the reader: a queued job of a held account waits for the account. */
function viewWait(job: JobRecord, hold: AccountHold | undefined, nowMs: number) {
  const wait = waitOf(hold, nowMs);
  // What waits for a time of its own goes on waiting for that, unless nothing of the account goes before somebody acts.
  const isHeld = job.status === 'queued' || (job.status === 'waiting' && wait?.nextMs === undefined);
  if (wait && isHeld) return { status: 'waiting', ...wait } as const;
  return { status: job.status, reason: job.waitReason ?? null, nextMs: job.nextAttemptAtMs } as const;
}

/** Statuses in the record of jobs that are shown with one of `shown`: {@link viewJob} the other way round. */
export function storedStatuses(
  shown: readonly JobStatus[],
  hold: AccountHold | undefined,
  nowMs: number,
): JobStatus[] {
  if (!waitOf(hold, nowMs)) return [...shown];
  const others = shown.filter((status) => status !== 'queued' && status !== 'waiting');
  return shown.includes('waiting') ? [...others, 'queued', 'waiting'] : others;
}

/** Options as they were sent; the way there is `toJobOptions` of create-query.ts. */
function viewQuery({ response_format, ignore_remote_data, exclude_fields, ...same }: JobRequest['query']) {
  return {
    truto_response_format: response_format,
    ...(ignore_remote_data === undefined ? {} : { truto_ignore_remote_data: ignore_remote_data }),
    ...(exclude_fields === undefined ? {} : { truto_exclude_fields: exclude_fields }),
    ...same,
  };
}

/** The public view of a record. Pure. */
export function viewJob(job: JobRecord, hold?: AccountHold, nowMs = 0): JobView {
  const wait = viewWait(job, hold, nowMs);
  const failed = job.status === 'failed' || job.status === 'cancelled' || job.status === 'needs_review';
  return {
    id: job.id,
    object: 'job',
    status: wait.status,
    provider: job.provider,
    integrated_account_id: job.account,
    import_id: job.importId ?? null,
    resource: 'crm/opportunities',
    method: 'create',
    created_at: toIso(job.createdAtMs),
    updated_at: toIso(job.updatedAtMs),
    finished_at: toIsoOrNull(job.finishedAtMs),
    next_attempt_at: toIsoOrNull(wait.nextMs),
    wait_reason: wait.reason,
    warnings: job.warnings,
    applied_defaults: job.appliedDefaults,
    idempotency_key: job.idempotencyKey ?? null,
    request: { query: viewQuery(job.request.query), body: job.request.body },
    attempts: job.attempts.map(viewAttempt),
    marker: job.id,
    ...(job.candidates.length > 0 ? { candidates: job.candidates } : {}),
    sequence: job.sequence,
    // Also while its follow-ups are repeated: the record is there.
    result: job.status === 'succeeded' || job.written ? (job.result ?? null) : null,
    error: failed ? viewKeptError(job.error, job.requestId, job.id) : null,
  };
}
