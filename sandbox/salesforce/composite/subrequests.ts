import { halted, RestFailure, type SalesforceError, toErrorArray } from '../errors.ts';
import type { RestCall, RestReply } from '../rest.ts';
import { isPlainObject } from '../write/parse.ts';
import { resolveReferences } from './references.ts';

export type Subrequest = {
  method: string;
  url: string;
  referenceId: string;
  body: unknown;
  headers: Record<string, string>;
};

export type Subresponse = {
  body: unknown;
  httpHeaders: Record<string, string>;
  httpStatusCode: number;
  referenceId: string;
};

/** Runs a REST call that came inside another one. */
export type Execute = (call: RestCall) => RestReply;

// Source: REST API, Composite Subrequest: these belong to the outer request.
const forbiddenHeaders = new Set(['accept', 'authorization', 'content-type']);

/** Reads one subrequest; a malformed one fails the whole request. */
export function parseSubrequest(input: unknown, seen: Set<string>): Subrequest {
  if (!isPlainObject(input)) throw badRequest('A subrequest must be an object');
  const { method, url, referenceId, body, httpHeaders } = input;
  if (typeof method !== 'string') throw badRequest('Subrequest is missing a value for method');
  if (typeof url !== 'string') throw badRequest('Subrequest is missing a value for url');
  if (typeof referenceId !== 'string' || referenceId === '') {
    throw badRequest('Subrequest is missing a value for referenceId');
  }
  // From v52 on an illegal name fails everything. Source: REST API, Composite Request Body.
  if (!/^[A-Za-z0-9_]+$/.test(referenceId)) {
    throw badRequest(
      `Provided referenceId ('${referenceId}') must only contain letters, numbers and underscores`,
    );
  }
  if (seen.has(referenceId)) throw badRequest(`Provided referenceId ('${referenceId}') is not unique`);
  seen.add(referenceId);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(isPlainObject(httpHeaders) ? httpHeaders : {})) {
    if (forbiddenHeaders.has(name.toLowerCase())) {
      throw badRequest(`Subrequest header '${name}' is not allowed`);
    }
    headers[name.toLowerCase()] = String(value);
  }
  return { method: method.toUpperCase(), url, referenceId, body, headers };
}

export function badRequest(message: string): RestFailure {
  return new RestFailure({ code: 'JSON_PARSER_ERROR', message });
}

/**
 * Runs subrequests in order inside one transaction. When it must not be partial and one failed, everything is
 * taken back and the others report that they were halted.
 */
export function runSubrequests(
  call: RestCall,
  subrequests: Subrequest[],
  allOrNone: boolean,
  execute: (call: RestCall, subrequest: Subrequest, url: string, body: unknown) => RestReply,
): { responses: Subresponse[]; isSuccessful: boolean } {
  const transaction = call.context.store.begin();
  const answers = new Map<string, unknown>();
  const responses: Subresponse[] = [];
  let failed: number | undefined;
  for (const [index, subrequest] of subrequests.entries()) {
    const response =
      failed !== undefined && allOrNone
        ? toSubresponse(subrequest, failure(halted()))
        : runOne(call, subrequest, answers, execute);
    if (response.httpStatusCode >= 300) failed ??= index;
    else answers.set(subrequest.referenceId, response.body);
    responses.push(response);
  }
  if (failed === undefined || !allOrNone) {
    transaction.commit();
    return { responses, isSuccessful: failed === undefined };
  }
  transaction.rollback();
  const culprit = failed;
  return {
    isSuccessful: false,
    responses: responses.map((response, index) =>
      index === culprit ? response : { ...response, ...failure(halted()), httpHeaders: {} },
    ),
  };
}

function runOne(
  call: RestCall,
  subrequest: Subrequest,
  answers: ReadonlyMap<string, unknown>,
  execute: (call: RestCall, subrequest: Subrequest, url: string, body: unknown) => RestReply,
): Subresponse {
  const resolved = resolveReferences([subrequest.url, subrequest.body ?? null], answers);
  if ('missing' in resolved) {
    const name = resolved.missing;
    const message = `Invalid reference specified. No value for ${name} found in ${name.split(/[.[]/)[0]}`;
    return toSubresponse(subrequest, failure({ code: 'PROCESSING_HALTED', message }));
  }
  const [url, body]: unknown[] = Array.isArray(resolved.value) ? resolved.value : [];
  try {
    const reply = execute(call, subrequest, String(url), body ?? undefined);
    const { location } = reply.headers ?? {};
    return toSubresponse(subrequest, {
      body: reply.body ?? null,
      httpStatusCode: reply.status,
      httpHeaders: location === undefined ? {} : { Location: location },
    });
  } catch (error) {
    if (!(error instanceof RestFailure)) throw error;
    return toSubresponse(subrequest, { body: toErrorArray(error.errors), httpStatusCode: error.status });
  }
}

function failure(error: SalesforceError): Pick<Subresponse, 'body' | 'httpStatusCode'> {
  return { body: toErrorArray([error]), httpStatusCode: error.status ?? 400 };
}

function toSubresponse(
  { referenceId }: Subrequest,
  { body, httpStatusCode, httpHeaders }: Pick<Subresponse, 'body' | 'httpStatusCode'> & Partial<Subresponse>,
): Subresponse {
  return { body, httpHeaders: httpHeaders ?? {}, httpStatusCode, referenceId };
}

/** Turns a subrequest into a call of its own, for the same user and in the same transaction. */
export function toCall(call: RestCall, subrequest: Subrequest, url: string, body: unknown): RestCall {
  const match = /^\/services\/data\/v(\d+\.\d)\/([^?]*)(?:\?(.*))?$/.exec(url);
  if (match === null)
    throw new RestFailure({ code: 'NOT_FOUND', message: `Invalid URL: ${url}`, status: 404 });
  const [, version = call.version, path = '', query = ''] = match;
  return {
    ...call,
    version,
    method: subrequest.method,
    segments: path.split('/').map(decodeURIComponent),
    query: new URLSearchParams(query),
    headers: { ...call.headers, ...subrequest.headers },
    body,
  };
}
