import type { Request, Response } from 'express';
import type { Answer } from '../core/provider.ts';
import type { Session } from './credentials.ts';
import type { CloseState } from './state.ts';

/** One authenticated request, reduced to what the handlers need. */
export type CloseCall = {
  state: CloseState;
  session: Session;
  nowMs: number;
  method: string;
  path: string;
  requestId: string;
  tzOffset: string | undefined;
  /** The id in the path, where the route has one. */
  id: string;
  /** Query parameters; with the method override those from the body. */
  params: Map<string, string>;
  body: unknown;
  raw: Buffer;
};

export type CloseHandler = (call: CloseCall) => Answer;

/** A handler over an object body; anything else has been refused before. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Ends the response in one go, with nothing sent before: faults after the commit rely on it. */
export function respond(res: Response, answer: Answer): void {
  const isText = typeof answer.body === 'string';
  const payload = answer.body === undefined ? '' : isText ? answer.body : JSON.stringify(answer.body);
  res.statusCode = answer.status;
  res.setHeader('content-type', isText ? 'text/html; charset=utf-8' : 'application/json');
  if (answer.headers !== undefined) {
    for (const name in answer.headers) res.setHeader(name, answer.headers[name] ?? '');
  }
  res.end(payload);
}

/** Long filters may come as POST with the parameters in the body's `_params` ("Filter Parameters"). */
export function readParams(req: Request): Map<string, string> {
  const params = new Map<string, string>();
  const mark = req.url.indexOf('?');
  if (mark !== -1) {
    for (const [name, value] of new URLSearchParams(req.url.slice(mark + 1))) params.set(name, value);
  }
  if (overridingMethod(req) !== undefined && isObject(req.body) && isObject(req.body._params)) {
    for (const [name, value] of Object.entries(req.body._params)) {
      params.set(name, Array.isArray(value) ? value.join(',') : String(value));
    }
  }
  return params;
}

/** The method a POST asks to be taken for. */
export function overridingMethod(req: Request): string | undefined {
  const method = req.headers['x-http-method-override'];
  return typeof method === 'string' ? method.toUpperCase() : undefined;
}
