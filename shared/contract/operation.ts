import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/** What a token may be allowed to do; `admin` includes all of them. */
export const SCOPES = [
  'opportunities:write',
  'jobs:read',
  'jobs:write',
  'accounts:read',
  'accounts:write',
  'webhooks:read',
  'webhooks:write',
  'imports:read',
  'imports:write',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

export type Tag =
  | 'Opportunities'
  | 'Jobs'
  | 'Integrated accounts'
  | 'Imports'
  | 'Webhooks'
  | 'Workspace'
  | 'Tokens'
  | 'Health';

/** One answer of an operation, without its number. */
export type ResponseSpec = {
  description: string;
  /** Absent: the answer has no body. */
  schema?: z.ZodType;
  example?: unknown;
  /** Header name → what it says. */
  headers?: Record<string, string>;
  /** Default `application/json`. */
  contentType?: string;
  /** The same in other types, by query or header: content type → example. */
  also?: Record<string, string>;
};

type Schema = z.ZodType | undefined;

/**
 * One HTTP operation as a value: the router validates by it and the OpenAPI document is written from it.
 * Errors are listed by code; their status and shape come from the catalogue. What every operation of its kind can
 * answer (401, 403, bad JSON, …) need not be listed: see {@link errorsOf}.
 */
export type Operation<
  P extends Schema = Schema,
  Q extends Schema = Schema,
  H extends Schema = Schema,
  B extends Schema = Schema,
> = {
  /** Unique; the OpenAPI `operationId`. */
  id: string;
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With placeholders as `/jobs/{id}`. */
  path: string;
  tag: Tag;
  summary: string;
  description?: string;
  /** `null`: works without a token. */
  scope: Scope | null;
  params?: P;
  /** A strict object; values arrive as text, arrays or nested objects (see `query-types.ts`). */
  query?: Q;
  /** Read by lower-case names; headers that are not listed are let through. */
  headers?: H;
  /** JSON body; absent: whatever is sent is not read. */
  body?: B;
  /** True: an empty body is taken as `{}`. */
  bodyOptional?: boolean;
  bodyExample?: unknown;
  /** Body that the handler reads itself, as a stream: content type → what it looks like. */
  uploads?: Record<string, { schema: z.ZodType; example?: unknown }>;
  responses: Record<number, ResponseSpec>;
  errors?: readonly ErrorCode[];
  /** Headers its errors have too, where there is something to name. */
  errorHeaders?: Record<string, string>;
};

/** Keeps the schemas' types, so that a handler gets exactly what was validated. */
export function defineOperation<
  P extends Schema = undefined,
  Q extends Schema = undefined,
  H extends Schema = undefined,
  B extends Schema = undefined,
>(operation: Operation<P, Q, H, B>): Operation<P, Q, H, B> {
  return operation;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

/** What a handler of the operation receives after validation. */
export type OperationInput<O extends Operation> =
  O extends Operation<infer P, infer Q, infer H, infer B>
    ? { params: Output<P>; query: Output<Q>; headers: Output<H>; body: Output<B> }
    : never;

/** Every error code the operation can answer with, its own and those of its kind. */
export function errorsOf(operation: Operation): ErrorCode[] {
  const codes = new Set<ErrorCode>(operation.errors ?? []);
  if (operation.scope !== null)
    for (const code of ['unauthorized', 'insufficient_scope'] as const) codes.add(code);
  // Also where there is no parameter to give.
  if (operation.query || operation.scope !== null) codes.add('invalid_query');
  if (operation.headers) codes.add('invalid_header');
  if (operation.params) codes.add('not_found');
  if (operation.body) {
    for (const code of ['invalid_json', 'invalid_body', 'body_too_large', 'unsupported_media_type'] as const)
      codes.add(code);
  }
  if (operation.scope !== null) codes.add('token_rate_limited').add('durability_unavailable');
  return [...codes.add('internal_error')];
}
