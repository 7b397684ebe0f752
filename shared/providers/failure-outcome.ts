import type { FieldFailure, RateLimitHit, WriteOutcome } from '../domain/failure.ts';
import { boundBody, boundFields, boundMessage } from './bound-failure.ts';
import { isJsonObject } from './merge-remote-data.ts';
import type { AnsweredCall, FailureRow, ProviderRequest } from './port.ts';

/** A row of a failure table together with what makes it match. The first row that matches wins. */
export type FailureRule = FailureRow & { matches: (answer: AnsweredCall) => boolean };

export type FailureDetails = { message: string; fields?: FieldFailure[]; limit?: RateLimitHit };

/** The outcome a matched row stands for. */
export function outcomeOf(rule: FailureRule, answer: AnsweredCall, details: FailureDetails): WriteOutcome {
  const facts = {
    code: rule.code,
    message: boundMessage(details.message),
    httpStatus: answer.status,
    rawResponse: boundBody(answer.body),
    row: rule.id,
  };
  switch (rule.outcome) {
    case 'permanent':
      return {
        kind: 'permanent',
        ...facts,
        ...(details.fields?.length ? { fields: boundFields(details.fields) } : {}),
      };
    case 'rate_limited':
      return { kind: 'rate_limited', ...facts, limit: details.limit ?? { scope: 'account' } };
    case 'retryable':
      return { kind: 'retryable', ...facts, ...(rule.outage ? { outage: true } : {}) };
    case 'needs_reauth':
      return { kind: 'needs_reauth', ...facts };
    case 'ambiguous':
    case 'written':
      // No table has a row for success; should one appear by mistake, not knowing is the safe reading.
      return { kind: 'ambiguous', ...facts };
  }
}

/**
 * Anything but the create may be repeated without harm, so what is ambiguous for a create is merely
 * unavailable for a read or a follow-up.
 */
export function softenForReads(outcome: WriteOutcome, request: ProviderRequest): WriteOutcome {
  if (outcome.kind !== 'ambiguous' || request.purpose === 'create') return outcome;
  return { ...outcome, kind: 'retryable', code: 'provider_unavailable' };
}

/** Whatever a provider puts where a sentence belongs, as text; undefined when there is nothing in it. */
export function describe(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() || undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.flatMap((item) => describe(item) ?? []).join('; ') || undefined;
  if (!isJsonObject(value)) return undefined;
  const own = describe(value.message) ?? describe(value.error) ?? describe(value.error_description);
  if (own !== undefined) return own;
  return Object.keys(value).length === 0 ? undefined : JSON.stringify(value);
}

/** A text answer is quoted only if it is short and no HTML page. */
export function describeBody(body: unknown, fallback: string): string {
  if (typeof body === 'string' && (body.length > 300 || /^\s*</.test(body))) return fallback;
  return describe(body) ?? fallback;
}
