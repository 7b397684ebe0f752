import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Received, received } from '../core/received.ts';
import { RestFailure, toErrorArray } from './errors.ts';
import { firstVersion, lastVersion } from './resources.ts';
import type { RestCall, RestReply } from './rest.ts';
import type { Source } from './write/coerce.ts';
import type { OrgState } from './write/context.ts';

// Source: REST API, Status Codes and Error Responses (414).
const uriBytesMax = 16_384;
// Source: Salesforce App Limits Cheatsheet, API Request Limits and Allocations. The code of the answer is not documented.
const bodyBytesMax = 50 * 1024 * 1024;

/** Headers seen on every recorded answer of a live org. */
const usualHeaders: [name: string, value: string][] = [
  ['cache-control', 'no-cache,must-revalidate,max-age=0,no-store,private'],
  ['vary', 'Accept-Encoding'],
  ['x-robots-tag', 'none'],
  ['server', 'sfdcedge'],
  ['x-sfdc-edge-cache', 'none'],
  ['strict-transport-security', 'max-age=63072000; includeSubDomains'],
];

export function sendReply(req: IncomingMessage, res: ServerResponse, reply: RestReply): void {
  const requestId = randomUUID().replaceAll('-', '');
  for (const [name, value] of usualHeaders) res.setHeader(name, value);
  res.setHeader('x-sfdc-request-id', requestId);
  res.setHeader('x-request-id', requestId);
  for (const [name, value] of Object.entries(reply.headers ?? {})) res.setHeader(name, value);
  res.statusCode = reply.status;
  if (reply.body === undefined || reply.status === 304) {
    res.end();
    return;
  }
  const payload = reply.contentType === undefined ? JSON.stringify(reply.body) : String(reply.body);
  res.setHeader('content-type', reply.contentType ?? 'application/json;charset=UTF-8');
  res.setHeader('content-length', Buffer.byteLength(payload));
  res.end(req.method === 'HEAD' ? undefined : payload);
}

export function toReply(failure: RestFailure): RestReply {
  return { status: failure.status, headers: failure.headers, body: toErrorArray(failure.errors) };
}

/** The call behind an HTTP request below `/services/data/vXX.X/`. */
export function toRestCall(
  req: IncomingMessage & { body?: unknown },
  url: string,
  version: string,
  rest: string,
  state: OrgState,
  userId: string,
): RestCall {
  if (url.length > uriBytesMax)
    throw new RestFailure({ code: 'URI_TOO_LONG', message: 'URI too long', status: 414 });
  requireVersion(version);
  const { headers } = req;
  const body = received(req);
  const mark = rest.indexOf('?');
  const query = new URLSearchParams(mark === -1 ? '' : rest.slice(mark + 1));
  const path = mark === -1 ? rest : rest.slice(0, mark);
  const segments = decodeSegments(path);
  if (body.raw.length > bodyBytesMax && segments[0] !== 'jobs') {
    const message = `The request exceeds ${bodyBytesMax} bytes`;
    throw new RestFailure({ code: 'EXCEEDED_MAX_SIZE_REQUEST', message, status: 413 });
  }
  const method = (req.method === 'POST' && query.get('_HttpMethod')) || (req.method ?? 'GET');
  requireMediaType(method, segments, body);
  return {
    method: method.toUpperCase(),
    version,
    segments,
    query,
    headers,
    body: req.body,
    raw: body.raw,
    mediaType: body.mediaType,
    context: {
      ...state,
      userId,
      source: jsonSource(body.raw),
      allowDuplicates: /allowSave\s*=\s*true/i.test(String(headers['sforce-duplicate-rule-header'] ?? '')),
      callNumber: body.callNumber,
      isRowLocked: body.isRowLocked,
    },
  };
}

function decodeSegments(path: string): string[] {
  const segments = path.split('/');
  if (segments.length > 1 && segments.at(-1) === '') segments.pop();
  try {
    return segments.map(decodeURIComponent);
  } catch {
    throw new RestFailure({
      code: 'NOT_FOUND',
      message: 'The requested resource does not exist',
      status: 404,
    });
  }
}

function requireVersion(version: string): void {
  const number = Number(version);
  if (number >= firstVersion && number <= lastVersion && Number.isInteger(number)) return;
  if (number >= 20 && number < firstVersion) {
    const message = `API version v${version} has been retired`;
    throw new RestFailure({ code: 'UNSUPPORTED_API_VERSION', message, status: 410 });
  }
  throw new RestFailure({ code: 'NOT_FOUND', message: 'The requested resource does not exist', status: 404 });
}

function requireMediaType(method: string, segments: string[], body: Received): void {
  if (body.raw.length === 0) return;
  const isCsv = segments[0] === 'jobs' && method === 'PUT';
  if (isCsv ? body.mediaType === 'text/csv' : body.mediaType.endsWith('json')) {
    if (body.jsonError === undefined) return;
    const message = `${body.jsonError} at [line:1, column:1]`;
    throw new RestFailure({ code: 'JSON_PARSER_ERROR', message });
  }
  const message = `Content-Type header specified in HTTP request is not supported: ${body.mediaType}`;
  throw new RestFailure({ code: 'UNSUPPORTED_MEDIA_TYPE', message, status: 415 });
}

/** Finds where a field's value begins, for the parser's error text. */
function jsonSource(raw: Buffer): Source {
  return {
    kind: 'json',
    columnOf(field) {
      const key = `"${field}"`;
      const text = raw.toString('utf8');
      const at = text.indexOf(key);
      if (at === -1) return 1;
      const rest = /^\s*:\s*/.exec(text.slice(at + key.length));
      return at + key.length + (rest?.[0].length ?? 0) + 1;
    },
  };
}
