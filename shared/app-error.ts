import { STATUS_CODES } from 'node:http';
import type { FieldFailure } from './domain/failure.ts';
import type { JobError } from './domain/job.ts';
import { ERROR_CATALOGUE, type ErrorCode } from './errors.ts';

/** Reason phrase of a status, as `error` shows it. */
export function reasonPhrase(statusCode: number): string {
  return STATUS_CODES[statusCode] ?? (statusCode < 500 ? 'Bad Request' : 'Internal Server Error');
}

export type AppErrorFacts = {
  failures?: FieldFailure[];
  /** `truto_error_insight`. */
  insight?: Record<string, unknown>;
  jobId?: string;
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  cause?: unknown;
};

/**
 * An answer other than success that the caller is meant to see. Status and retryability come from the catalogue;
 * `cause` is logged and never sent.
 */
export class AppError extends Error {
  override name = 'AppError';
  readonly code: ErrorCode;
  readonly facts: AppErrorFacts;

  /** @param message default: the catalogue's sentence. */
  constructor(code: ErrorCode, message?: string, facts: AppErrorFacts = {}) {
    super(message ?? ERROR_CATALOGUE[code].meaning, { cause: facts.cause });
    this.code = code;
    this.facts = facts;
  }

  get statusCode(): number {
    return ERROR_CATALOGUE[this.code].statusCode;
  }
}

/** The one error shape, without the ids of the request: as an answer and as `job.error`. */
export function toJobError(error: AppError): JobError {
  const { statusCode, retryable } = ERROR_CATALOGUE[error.code];
  const { failures, insight } = error.facts;
  return {
    statusCode,
    error: reasonPhrase(statusCode),
    message: error.message,
    code: error.code,
    retryable,
    ...(failures && failures.length > 0 ? { details: { failures } } : {}),
    ...(insight ? { truto_error_insight: insight } : {}),
  };
}
