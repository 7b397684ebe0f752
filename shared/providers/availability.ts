import type { WriteOutcome } from '../domain/failure.ts';
import type { CallResult } from './port.ts';

/**
 * What the end of a call says about whether the provider is there at all; undefined: nothing. Any definite answer shows
 * that it is, refusals and limits included. What is the request's own fault never makes it look down.
 * @param outcome what an answer means; left out where nobody classified it.
 */
export function availabilityOf(result: CallResult, outcome?: WriteOutcome): 'up' | 'down' | undefined {
  switch (result.kind) {
    case 'not_sent':
      return result.code === 'provider_unreachable' ? 'down' : undefined;
    case 'unanswered':
      // Cut off by ourselves, or an answer too large to take: that says nothing.
      return result.code === 'provider_no_answer' ? 'down' : undefined;
    case 'answered': {
      if (outcome?.kind !== 'retryable' && outcome?.kind !== 'ambiguous') return 'up';
      return result.status >= 500 || (outcome.kind === 'retryable' && outcome.outage) ? 'down' : 'up';
    }
    case 'deferred':
    case 'needs_reauth':
      return undefined;
  }
}
