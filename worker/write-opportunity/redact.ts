import type { CallResult, ProviderRequest } from '../../shared/providers/port.ts';

/** An attempt keeps this much of a body: enough to see what went wrong, little enough for many attempts. */
const KEPT_CHARS = 4_000;

/** Headers of an answer that help to understand it; everything else stays out. */
const SHOWN_HEADERS = [
  'content-type',
  'retry-after',
  'ratelimit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'sforce-limit-info',
  'x-sfdc-request-id',
  'x-request-id',
  'date',
];

function cut(body: unknown): unknown {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (text === undefined || text.length <= KEPT_CHARS) return body;
  return `${text.slice(0, KEPT_CHARS)}… (${text.length} characters)`;
}

/** The request before authentication: credentials were never in it. */
export function redactedRequest(request: ProviderRequest): unknown {
  return { method: request.method, path: request.path, query: request.query, body: cut(request.body) };
}

export function redactedResponse(result: CallResult): unknown {
  if (result.kind !== 'answered') return undefined;
  const headers = Object.fromEntries(
    SHOWN_HEADERS.flatMap((name) => (result.headers[name] ? [[name, result.headers[name]]] : [])),
  );
  return { status: result.status, headers, body: cut(result.body) };
}
