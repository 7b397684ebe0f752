import type { FieldFailure, Warning } from './failure.ts';
import type { MarkerSetting, ProviderName } from './integrated-account.ts';

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

/** A user of a provider, of an organisation there if it has several. */
export type Sender = { userId: string; organisationId?: string };

/** A create whose answer was lost: until `verdictAtMs` its absence at the provider proves nothing. */
export type UnknownSend = {
  attempt: number;
  /** Provider's clock (its `Date` header where known) when the request left. */
  sentAtProviderMs: number;
  verdictAtMs: number;
  /** What the request carried; null = nothing. Absent in older records. */
  marker?: MarkerSetting | null;
  /** Version of the account's credentials it was sent with, and who that is at the provider, where it was known. */
  grant?: number;
  sender?: Sender;
  /** Its absence was certain once; what comes after that is of later sends. */
  isJudged?: true;
  /** The provider answered that a record has the key this carried: its id, '' where it did not name it. */
  keyHeldBy?: string;
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
  /** See {@link UnknownSend.grant}. */
  grant?: number;
  sender?: Sender;
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
  details?: { failures: FieldFailure[] };
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
  /** Runs that ended in an exception since the job was last (re)opened; see worker/write-opportunity/after-fault.ts. */
  faults: number;
  result?: unknown;
  error?: JobError;
};

/** Newest schema this code writes. Older ones are read; a newer one is refused. */
export const JOB_SCHEMA_VERSION = 1;
