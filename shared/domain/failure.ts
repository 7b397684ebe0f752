import type { ErrorCode } from '../errors.ts';
import type { FieldCode, WarningCode } from '../field-codes.ts';

/** One thing wrong with one field of a request. `pointer` is a JSON pointer into *our* body (or query). */
export type FieldFailure = { pointer: string; code: FieldFailureCode; message: string };

export type FieldFailureCode = FieldCode | ErrorCode;

/** A field the provider has no place for: a failure where that is refused, else a warning. */
export type Unsupported = { pointer: string; code: FieldFailureCode & WarningCode; message: string };

/** Something the caller should know although the write goes on. */
export type Warning = { code: WarningCode; pointer?: string; message: string };

/**
 * What one create attempt ended in. The kind decides what happens next, not the HTTP status.
 *
 * - `written`: the provider confirmed the record.
 * - `permanent`: the same request would get the same answer.
 * - `retryable`: provably not written; may work later. `outage`: the provider serves nobody now (maintenance).
 * - `rate_limited`: not written; costs no attempt and moves the whole account.
 * - `needs_reauth`: not written; the account's grant is dead or refused, the job waits for new credentials.
 * - `ambiguous`: bytes left and no clear answer came; the record may exist.
 */
export type WriteOutcome =
  | { kind: 'written'; remoteId: string; answer: unknown; httpStatus: number }
  | ({ kind: 'permanent'; fields?: FieldFailure[] } & FailureFacts)
  | ({ kind: 'retryable'; outage?: boolean } & FailureFacts)
  | ({ kind: 'rate_limited'; limit: RateLimitHit } & FailureFacts)
  | ({ kind: 'needs_reauth' } & FailureFacts)
  /** `keyHeldBy`: the provider says that a record has the unique key of this very create; its id, '' where it does not name it. */
  | ({ kind: 'ambiguous'; keyHeldBy?: string } & FailureFacts);

export type WriteFailure = Exclude<WriteOutcome, { kind: 'written' }>;

export type FailureFacts = {
  /** From the published catalogue (`shared/errors.ts`). */
  code: string;
  /** The provider's own words where it has any. */
  message: string;
  httpStatus?: number;
  /** Provider body as received, for `raw_response`; may hold customer data, never credentials. */
  rawResponse?: unknown;
  /** Row of the provider's failure table that matched. */
  row?: string;
};

/** What a limit answer says about when to come back. */
export type RateLimitHit = {
  /** Stated by the provider, already on our clock; absent when it gave no time. */
  untilMs?: number;
  /** `account`: everything of the account waits; `parent`: only writes under one parent record (row locks). */
  scope: 'account' | 'daily' | 'concurrency' | 'parent';
};
