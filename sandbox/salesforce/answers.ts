import type { Answer, LimitHint } from '../core/provider.ts';
import { rowLock, type SalesforceError, toErrorArray } from './errors.ts';
import type { Switches } from './switches.ts';

// Source: Salesforce error texts of REQUEST_LIMIT_EXCEEDED; one code, told apart by the message only.
const limitMessages: Record<NonNullable<Switches['limit_message']>, string> = {
  TotalRequests: 'TotalRequests Limit exceeded.',
  ConcurrentRequests: 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.',
  ConcurrentPerOrgLongTxn: 'ConcurrentPerOrgLongTxn Limit exceeded.',
  ConcurrentPerOrgApex: 'ConcurrentPerOrgApex Limit exceeded.',
};

export function limitExceeded(kind: keyof typeof limitMessages): SalesforceError {
  return { code: 'REQUEST_LIMIT_EXCEEDED', message: limitMessages[kind], status: 403 };
}

/**
 * 403, never 429, and without Retry-After unless a fault asks for one. A limit that lasts an hour or more is the
 * daily allocation, a shorter one the number of concurrent calls.
 */
export function limitAnswer(switches: Switches, hint: LimitHint, nowMs: number): Answer {
  const isLong = hint.reason !== 'concurrency' && hint.resetAtMs - nowMs >= 3_600_000;
  const kind = switches.limit_message ?? (isLong ? 'TotalRequests' : 'ConcurrentRequests');
  const headers = hint.retryAfterS === undefined ? undefined : { 'retry-after': String(hint.retryAfterS) };
  return { status: 403, headers, body: toErrorArray([limitExceeded(kind)]) };
}

const byStatus: Record<number, SalesforceError> = {
  400: { code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: 'Rejected by a validation rule.', fields: [] },
  401: { code: 'INVALID_SESSION_ID', message: 'Session expired or invalid' },
  403: {
    code: 'INSUFFICIENT_ACCESS_OR_READONLY',
    message: 'insufficient access rights on object id',
    fields: [],
  },
  404: { code: 'NOT_FOUND', message: 'The requested resource does not exist' },
  500: {
    code: 'UNKNOWN_EXCEPTION',
    message:
      'An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (123456789)',
  },
};

// The edge in front of the org speaks HTML. Source: REST API, Status Codes and Error Responses.
const pages: Record<number, string> = {
  420: 'We are setting things up for you',
  429: 'Too Many Requests',
  502: 'Bad Gateway',
  503: 'Service Unavailable: Server too busy',
  504: 'Gateway Timeout',
};

/** What the org or its edge answers for a bare status. */
export function statusAnswer(status: number, { path }: { path: string }): Answer {
  const page = pages[status];
  if (page !== undefined) {
    const body = `<html><head><title>${page}</title></head><body><h1>${page}</h1></body></html>`;
    return { status, headers: { 'content-type': 'text/html' }, body };
  }
  // 406 has no body. Source: REST API, Status Codes and Error Responses.
  if (status === 406 || status < 400) return { status, body: '' };
  // Token errors are an object. Source: Salesforce Help, OAuth 2.0 Authorization Errors.
  if (path.startsWith('/services/oauth2/') && status < 500) {
    return { status, body: { error: 'invalid_grant', error_description: 'expired access/refresh token' } };
  }
  const error = byStatus[status] ?? { code: 'UNKNOWN_EXCEPTION', message: `HTTP ${status}` };
  return { status, body: toErrorArray([error]) };
}

/** Seen under 400 and under 500. */
export function lockAnswer(status: 400 | 500): Answer {
  return { status, body: toErrorArray([rowLock('001000000000000')]) };
}
