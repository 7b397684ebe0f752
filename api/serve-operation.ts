import type { Request, RequestHandler, Response, Router } from 'express';
import { z } from 'zod';
import { AppError } from '../shared/app-error.ts';
import type { Operation, OperationInput, Scope } from '../shared/contract/operation.ts';
import { parseQuery } from '../shared/contract/parse-query.ts';
import { check } from '../shared/contract/validation-failures.ts';
import type { FieldFailure } from '../shared/domain/failure.ts';
import { parseHeaders, parseParams } from './middleware/parse-params.ts';
import { invalidBody, parseBody, readJsonBody } from './middleware/read-body.ts';
import type { Caller } from './request-facts.ts';
import { type Answer, sendAnswer } from './send-answer.ts';

export type HandlerInput<O extends Operation> = OperationInput<O> & {
  caller: Caller;
  requestId: string;
  req: Request;
  res: Response;
};

/** `undefined`: the handler has answered by itself. */
export type Handler<O extends Operation> = (
  input: HandlerInput<O>,
) => Answer | undefined | Promise<Answer | undefined>;

/** Caller of operations without scope: there is nobody to name. */
const NOBODY: Caller = { workspace: '', scopes: [], isAdmin: false };

/** Who may pass; see middleware/authenticate.ts. */
export type Guard = { authenticate: RequestHandler; requireScope: (scope: Scope) => RequestHandler };

export type ServeOptions<O extends Operation> = {
  /** An answer to a body that does not pass the schema, instead of 400; undefined: 400 after all. */
  onInvalidBody?: (
    failures: FieldFailure[],
    input: Omit<HandlerInput<O>, 'body'>,
  ) => Answer | undefined | Promise<Answer | undefined>;
};

/** Turns an operation and its handler into a route. */
export type Serve = <O extends Operation>(
  operation: O,
  handler: Handler<O>,
  options?: ServeOptions<O>,
) => void;

/** Route path → methods it knows, for 405. */
export type ServedMethods = Map<string, string[]>;

/**
 * Mounts operations on `router`: token and scope first, so that nobody unknown makes us read a body; then parameters,
 * query, headers and body by the operation's schemas. A handler sees only what was validated.
 */
export function createServe(router: Router, guard: Guard): { serve: Serve; served: ServedMethods } {
  const served: ServedMethods = new Map();
  const serve: Serve = (operation, handler, options = {}) => {
    const path = toRoutePath(operation.path);
    const steps: RequestHandler[] = [];
    if (operation.scope !== null) steps.push(guard.authenticate, guard.requireScope(operation.scope));
    if (operation.body) steps.push(readJsonBody);
    steps.push(async (req, res) => {
      const answer = await run(operation, handler, options, req, res);
      if (answer) sendAnswer(res, answer);
    });
    router[operation.method](path, ...steps);
    const methods = operation.method === 'get' ? ['GET', 'HEAD'] : [operation.method.toUpperCase()];
    served.set(path, [...(served.get(path) ?? []), ...methods]);
  };
  return { serve, served };
}

/** `/jobs/{id}` → `/jobs/:id`. */
export function toRoutePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

const NO_QUERY = z.strictObject({});

/** A filter that nobody reads would be taken for one that was kept; only those who look whether we live may add what they like. */
function queryOf({ query, scope }: Operation, url: string): unknown {
  if (query) return parseQuery(url, query);
  if (scope !== null) parseQuery(url, NO_QUERY);
  return undefined;
}

async function run<O extends Operation>(
  operation: O,
  handler: Handler<O>,
  { onInvalidBody }: ServeOptions<O>,
  req: Request,
  res: Response,
) {
  const facts = { caller: res.locals.caller ?? NOBODY, requestId: res.locals.requestId ?? '', req, res };
  const parts = {
    params: operation.params && parseParams(req.params, operation.params),
    query: queryOf(operation, req.url),
    headers: operation.headers && parseHeaders(req.headers, operation.headers),
  };
  const body = operation.body && readBody(operation.body, req, operation.bodyOptional ?? false);
  // Each part is the output of the operation's own schema for it, or undefined where it has none.
  const input = { ...facts, ...parts, body: body?.ok ? body.value : undefined } as HandlerInput<O>;
  if (body?.ok !== false) return handler(input);
  const answer = await onInvalidBody?.(body.failures, input);
  if (answer) return answer;
  throw 'error' in body ? body.error : invalidBody(body.failures);
}

type ReadBody = ReturnType<typeof check> | { ok: false; failures: FieldFailure[]; error: AppError };

/** What no schema can see (a number that would change, a key of the prototype) is wrong with the body like anything else. */
function readBody(schema: z.ZodType, req: Request, optional: boolean): ReadBody {
  try {
    return check(schema, parseBody(req, optional));
  } catch (err) {
    const failures = err instanceof AppError && err.code === 'invalid_body' ? err.facts.failures : undefined;
    if (!(err instanceof AppError) || !failures) throw err;
    return { ok: false, failures, error: err };
  }
}
