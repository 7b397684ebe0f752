import { toIso } from '../../shared/clock.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { CallResult, ProviderDescriptor, ProviderRequest } from '../../shared/providers/port.ts';

/** A read of ours, for the provider's classification: what it says of messages and limits holds for any request. */
const A_READ: ProviderRequest = { method: 'GET', path: '/', purpose: 'check' };

/** A failed read in the words and codes of our answers. */
export function readFailure(
  result: CallResult,
  classify: ProviderDescriptor['classify'],
): { code: ErrorCode; message: string } {
  switch (result.kind) {
    case 'answered': {
      const outcome = classify(result, A_READ);
      const message =
        outcome.kind === 'written' ? 'The provider gave an answer that cannot be read.' : outcome.message;
      return { code: codeOf(result.status), message };
    }
    case 'not_sent':
      return {
        code: result.code === 'url_not_allowed' ? 'url_not_allowed' : 'provider_unreachable',
        message: result.message,
      };
    case 'unanswered':
      return { code: 'provider_no_answer', message: result.message };
    case 'deferred':
      if (result.reason === 'retry_backoff') {
        const message = `The provider was not there when it was asked last; it is asked again at ${toIso(result.untilMs)}.`;
        return { code: 'provider_unavailable', message };
      }
      return {
        code: 'provider_rate_limited',
        message: `The account's limit is reached; its next call is possible at ${toIso(result.untilMs)}.`,
      };
    case 'needs_reauth':
      return { code: 'account_needs_reauth', message: result.message };
  }
}

/** By status alone: a read changes nothing, so there is nothing ambiguous about it. */
function codeOf(status: number): ErrorCode {
  if (status === 401) return 'account_needs_reauth';
  if (status === 403) return 'provider_forbidden';
  if (status === 404) return 'provider_not_found';
  if (status === 429) return 'provider_rate_limited';
  if (status >= 500) return 'provider_unavailable';
  return status < 300 ? 'provider_bad_answer' : 'provider_bad_request';
}
