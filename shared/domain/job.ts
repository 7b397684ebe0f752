import { z } from 'zod';
import { toIso, toIsoOrNull } from '../clock.ts';
import type { Warning } from './failure.ts';
import {
  type AccountStatus,
  type MarkerSetting,
  PROVIDERS,
  type ProviderName,
} from './integrated-account.ts';

export const JOB_STATUSES = [
  'queued',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'cancelled',
  'needs_review',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/**
 * Every transition a job may make; scripts refuse all others. A status may "move" to itself (a second wait).
 *
 * - `needs_review` leaves by a person's word (`resolve`), or by a definite answer that arrives late.
 * - `failed` → `succeeded`: a late definite answer wins over a failure.
 * - `queued` → `needs_review`: it was sent before (in a batch, before a retry), and nobody can look for that.
 * - `succeeded` → `queued`: only to repeat follow-ups that failed; the create is never repeated.
 */
export const TRANSITIONS = {
  queued: ['queued', 'running', 'waiting', 'failed', 'cancelled', 'needs_review'],
  waiting: ['waiting', 'running', 'queued', 'failed', 'cancelled', 'needs_review', 'succeeded'],
  running: ['running', 'waiting', 'succeeded', 'failed', 'needs_review'],
  needs_review: ['succeeded', 'queued'],
  failed: ['queued', 'succeeded'],
  cancelled: ['queued'],
  succeeded: ['queued'],
} as const satisfies Record<JobStatus, readonly JobStatus[]>;

/** Statuses from which `to` may be reached. */
export function statusesBefore(to: JobStatus): JobStatus[] {
  return JOB_STATUSES.filter((from) => (TRANSITIONS[from] as readonly JobStatus[]).includes(to));
}

const ENDED: readonly JobStatus[] = ['succeeded', 'failed', 'cancelled'];

export function isEnded(status: JobStatus): boolean {
  return ENDED.includes(status);
}

/** Ended, or standing still until a person decides: nothing more to wait for. */
export function isSettled(status: JobStatus): boolean {
  return isEnded(status) || status === 'needs_review';
}

export const WAIT_REASONS = [
  'rate_limited',
  'retry_backoff',
  'reconciling',
  'account_paused',
  'account_needs_reauth',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

export const ATTEMPT_OUTCOMES = [
  'succeeded',
  'reconciled',
  'resolved',
  'permanent',
  'retryable',
  'rate_limited',
  'ambiguous',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One call sequence to the provider; numbered from 1. `finishedAtMs` is absent while it runs, or when its worker died. */
export type Attempt = {
  number: number;
  startedAtMs: number;
  finishedAtMs?: number;
  outcome?: AttemptOutcome;
  httpStatus?: number;
  code?: string;
  message?: string;
  /** Redacted; kept for attempts that did not succeed. */
  request?: unknown;
  response?: unknown;
};

/** What the caller asked for, as it was validated; `query` holds only our own options. */
export type JobRequest = {
  query: {
    response_format: 'unified' | 'raw' | 'normalized';
    ignore_remote_data?: boolean;
    exclude_fields?: string[];
    remote_query?: Record<string, unknown>;
    on_unsupported?: 'reject' | 'warn' | 'ignore';
  };
  body: Record<string, unknown>;
};

/** A create whose answer was lost: until `verdictAtMs` its absence at the provider proves nothing. */
export type UnknownSend = {
  attempt: number;
  /** Provider's clock (its `Date` header where known) when the request left. */
  sentAtProviderMs: number;
  verdictAtMs: number;
  /** What the request carried; null = nothing. Absent in older records. */
  marker?: MarkerSetting | null;
};

/** An attempt whose request may be on the wire. Present from before the first byte until its outcome is stored. */
export type InFlight = {
  attempt: number;
  token: number;
  startedAtMs: number;
  /** After this moment the HTTP layer must not begin to send. */
  sendBeforeMs: number;
  sentAtProviderMs: number;
  timeoutMs: number;
  /** See {@link UnknownSend.marker}. */
  marker?: MarkerSetting | null;
};

/** The create is confirmed; follow-ups and read-back may remain. */
export type Written = { remoteId: string; answer: unknown; by: AttemptOutcome; httpStatus?: number };

export type Candidate = { remote_id: string; url: string; why: string };

export type JobError = {
  statusCode: number;
  error: string;
  message: string;
  code: string;
  retryable: boolean;
  details?: { failures: { pointer: string; code: string; message: string }[] };
  truto_is_remote_error?: boolean;
  raw_response?: unknown;
  truto_error_insight?: Record<string, unknown>;
};

/** The job record: the truth about one accepted write. Times in milliseconds. */
export type JobRecord = {
  id: string;
  schemaVersion: number;
  workspace: string;
  account: string;
  provider: ProviderName;
  status: JobStatus;
  /** Counts transitions of `status`. */
  sequence: number;
  /** Which engine job may work on it: older ones are ignored. */
  generation: number;
  createdAtMs: number;
  updatedAtMs: number;
  finishedAtMs?: number;
  nextAttemptAtMs?: number;
  waitReason?: WaitReason;
  request: JobRequest;
  appliedDefaults: Record<string, unknown>;
  warnings: Warning[];
  idempotencyKey?: string;
  idempotencyHash?: string;
  /** `X-Request-Id` of the request that made it: its errors name it. */
  requestId?: string;
  traceparent?: string;
  callbackUrl?: string;
  importId?: string;
  /** A row whose import wants `job.*` events of its rows. */
  rowEvents?: boolean;
  attempts: Attempt[];
  /** Number of the last attempt. */
  attemptNumber: number;
  /** Attempts that count against the budget (rate limits do not). */
  attemptsSpent: number;
  /** Limit answers without a stated time in a row: their waits grow. */
  limitHits: number;
  firstAttemptAtMs?: number;
  /** The account's held time (paused, needs_reauth) when the first attempt began: the deadline stands still meanwhile. */
  heldBaseMs: number;
  inFlight?: InFlight;
  unknownSends: UnknownSend[];
  /** Last epoch in which the provider was asked about this job; see stores/epoch-store.ts. */
  epoch: number;
  /** Probes made since the last unknown send. */
  probes: number;
  fingerprint?: string;
  written?: Written;
  /** Follow-up key → `done`, or the failure that ended it. */
  followUps: Record<string, string>;
  candidates: Candidate[];
  /** Corrections made by retry: an adopted record may differ from the present body. */
  corrections: number;
  result?: unknown;
  error?: JobError;
};

/** Newest schema this code writes. Older ones are read; a newer one is refused. */
export const JOB_SCHEMA_VERSION = 1;

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
    error: z.unknown().nullable(),
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

/** Status, reason and next time as they are for the reader: a queued job of a held account waits for the account. */
function viewWait(job: JobRecord, hold: AccountHold | undefined, nowMs: number) {
  const open = job.status === 'queued' || job.status === 'waiting';
  if (open && hold?.status === 'paused')
    return { status: 'waiting', reason: 'account_paused', nextMs: undefined } as const;
  if (open && hold?.status === 'needs_reauth')
    return { status: 'waiting', reason: 'account_needs_reauth', nextMs: undefined } as const;
  if (job.status === 'queued' && hold?.blockedUntilMs !== undefined && hold.blockedUntilMs > nowMs)
    return {
      status: 'waiting',
      reason: hold.isDown ? 'retry_backoff' : 'rate_limited',
      nextMs: hold.blockedUntilMs,
    } as const;
  return { status: job.status, reason: job.waitReason ?? null, nextMs: job.nextAttemptAtMs } as const;
}

/**
 * Statuses in the record of jobs that are shown with one of `shown`: what {@link viewJob} makes of a hold, the other way round.
 */
export function storedStatuses(
  shown: readonly JobStatus[],
  hold: AccountHold | undefined,
  nowMs: number,
): JobStatus[] {
  const isHeld =
    hold !== undefined &&
    (hold.status !== 'active' || (hold.blockedUntilMs !== undefined && hold.blockedUntilMs > nowMs));
  if (!isHeld) return [...shown];
  const others = shown.filter((status) => status !== 'queued' && status !== 'waiting');
  return shown.includes('waiting') ? [...others, 'queued', 'waiting'] : others;
}

/** Options as they were sent; see contract/create-query.ts for the way there. */
function viewQuery({ response_format, ignore_remote_data, exclude_fields, ...same }: JobRequest['query']) {
  return {
    truto_response_format: response_format,
    ...(ignore_remote_data === undefined ? {} : { truto_ignore_remote_data: ignore_remote_data }),
    ...(exclude_fields === undefined ? {} : { truto_exclude_fields: exclude_fields }),
    ...same,
  };
}

/** The one shape of all errors: whoever asks later learns of the request that made the job, not of the one that reads it. */
function viewError({ error, requestId, id }: JobRecord): unknown {
  if (!error) return null;
  return { ...error, ...(requestId === undefined ? {} : { request_id: requestId }), job_id: id };
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
    result: job.status === 'succeeded' ? (job.result ?? null) : null,
    error: failed ? viewError(job) : null,
  };
}
