import { reasonPhrase } from '../../shared/app-error.ts';
import type { FieldFailure, WriteOutcome } from '../../shared/domain/failure.ts';
import type { JobError } from '../../shared/domain/job.ts';
import { ERROR_CATALOGUE, isErrorCode } from '../../shared/errors.ts';
import { boundBody } from '../../shared/providers/bound-failure.ts';
import type { CallResult, ProviderDescriptor, ProviderRequest } from '../../shared/providers/port.ts';

/** What the end of a call means for the job. An answer is read by the provider's table; no answer, by what left. */
export function outcomeOf(
  result: CallResult,
  descriptor: ProviderDescriptor,
  request: ProviderRequest,
): WriteOutcome {
  switch (result.kind) {
    case 'answered':
      return descriptor.classify(result, request);
    case 'not_sent':
      if (result.code === 'url_not_allowed')
        return { kind: 'permanent', code: result.code, message: result.message };
      return { kind: 'retryable', code: 'provider_unreachable', message: result.message };
    case 'unanswered':
      return {
        kind: 'ambiguous',
        code: isErrorCode(result.code) ? result.code : 'provider_no_answer',
        message: result.message,
      };
    case 'deferred':
      return {
        kind: 'rate_limited',
        code: 'provider_rate_limited',
        message: 'the account waits for its turn',
        limit: { untilMs: result.untilMs, scope: result.onlyThis ? 'parent' : 'account' },
      };
    case 'needs_reauth':
      return {
        kind: 'needs_reauth',
        code: 'account_needs_reauth',
        message: result.message,
        httpStatus: result.status,
        rawResponse: boundBody(result.body),
      };
  }
}

/** As {@link outcomeOf}, for a call that only reads or may be repeated: not knowing is no harm. */
export function readOutcomeOf(
  result: CallResult,
  descriptor: ProviderDescriptor,
  request: ProviderRequest,
): Exclude<WriteOutcome, { kind: 'ambiguous' }> {
  const outcome = outcomeOf(result, descriptor, request);
  return outcome.kind === 'ambiguous' ? { ...outcome, kind: 'retryable' } : outcome;
}

export type Failed = {
  code: string;
  message: string;
  fields?: FieldFailure[];
  httpStatus?: number;
  rawResponse?: unknown;
};

/** The error a failed job shows, in the provider's words. */
export function jobErrorOf(failed: Failed): JobError {
  const entry = isErrorCode(failed.code) ? ERROR_CATALOGUE[failed.code] : ERROR_CATALOGUE.provider_error;
  const isRemote = failed.httpStatus !== undefined;
  const statusCode = statusOf(entry.statusCode, failed.httpStatus);
  return {
    statusCode,
    error: reasonPhrase(statusCode),
    message: failed.message || entry.meaning,
    code: failed.code,
    retryable: entry.retryable,
    ...(failed.fields && failed.fields.length > 0 ? { details: { failures: failed.fields } } : {}),
    ...(isRemote ? { truto_is_remote_error: true, raw_response: failed.rawResponse ?? null } : {}),
    ...(isRemote ? { truto_error_insight: insightOf(statusCode) } : {}),
  };
}

/**
 * The provider's own 4xx, save where another says more: its 400 is a value it refuses (422), and limits (Salesforce: 403) are 429 whatever
 * they come as.
 */
function statusOf(ours: number, theirs: number | undefined): number {
  if (theirs === undefined || theirs <= 401 || theirs >= 500) return ours;
  // To our caller they would speak of its own proxy and its own slowness.
  if (theirs === 407 || theirs === 408) return ours;
  return ours === 401 || ours === 429 || ours >= 500 ? ours : theirs;
}

function insightOf(statusCode: number): Record<string, unknown> {
  const insight: Record<string, unknown> = {
    remote_error: { description: 'The provider returned this error.' },
  };
  if (statusCode === 429)
    insight.rate_limit_error = { description: "The provider's rate limit was reached." };
  if (statusCode === 403)
    insight.forbidden_error = { description: 'The credentials lack a right at the provider.' };
  return insight;
}
