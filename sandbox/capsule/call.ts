import type { Request, Response } from 'express';
import type { Answer } from '../core/provider.ts';
import type { CapsuleState } from './state.ts';

/** One authenticated request, reduced to what the handlers need. */
export type CapsuleCall = {
  state: CapsuleState;
  userId: number;
  nowMs: number;
  /** Where the API is reached, without a slash at the end. */
  baseUrl: string;
  /** The path below the base. */
  path: string;
  /** Ids in the path, as written. */
  id: string;
  otherId: string;
  query: URLSearchParams;
  embeds: ReadonlySet<string>;
  body: unknown;
};

export type CapsuleHandler = (call: CapsuleCall) => Answer;

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Ends the response in one go, with nothing sent before: faults after the commit rely on it. */
export function respond(res: Response, answer: Answer): void {
  res.statusCode = answer.status;
  if (answer.headers !== undefined) {
    for (const name in answer.headers) res.setHeader(name, answer.headers[name] ?? '');
  }
  if (answer.body === undefined) {
    res.end();
    return;
  }
  res.setHeader('content-type', 'application/json;charset=utf-8');
  res.end(JSON.stringify(answer.body));
}

const NO_QUERY = new URLSearchParams();
const NO_EMBEDS: ReadonlySet<string> = new Set();

export function readQuery(req: Request): URLSearchParams {
  const mark = req.url.indexOf('?');
  return mark === -1 ? NO_QUERY : new URLSearchParams(req.url.slice(mark + 1));
}

export function readEmbeds(query: URLSearchParams): ReadonlySet<string> {
  const text = query.get('embed');
  return text === null ? NO_EMBEDS : new Set(text.split(',').map((name) => name.trim()));
}

/** A path part that is a positive integer. */
export function parseId(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}
