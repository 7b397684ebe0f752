import type { Request, RequestHandler, Response, Router } from 'express';
import type { Operation, OperationInput, Scope } from '../shared/contract/operation.ts';
import { parseQuery } from '../shared/contract/parse-query.ts';
import { parseHeaders, parseParams } from './middleware/parse-params.ts';
import { readJsonBody, validateBody } from './middleware/read-body.ts';
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

/** What turns an operation and its handler into a route. */
export type Serve = <O extends Operation>(operation: O, handler: Handler<O>) => void;

/**
 * Mounts operations on `router`: token and scope first, so that nobody unknown makes us read a body; then parameters,
 * query and body by the operation's schemas. A handler sees only what was validated.
 */
export function createServe(router: Router, guard: Guard): Serve {
  return (operation, handler) => {
    const steps: RequestHandler[] = [];
    if (operation.scope !== null) steps.push(guard.authenticate, guard.requireScope(operation.scope));
    if (operation.body) steps.push(readJsonBody);
    steps.push(async (req, res) => {
      const answer = await handler({ ...validate(operation, req), ...factsOf(req, res) });
      if (answer) sendAnswer(res, answer);
    });
    router[operation.method](toRoutePath(operation.path), ...steps);
  };
}

/** `/jobs/{id}` → `/jobs/:id`. */
export function toRoutePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function factsOf(req: Request, res: Response) {
  return { caller: res.locals.caller ?? NOBODY, requestId: res.locals.requestId ?? '', req, res };
}

function validate<O extends Operation>(operation: O, req: Request): OperationInput<O> {
  const query = operation.query ? parseQuery(req.url, operation.query) : undefined;
  // Each part is the output of the operation's own schema for it, or undefined where it has none.
  return {
    params: operation.params ? parseParams(req.params, operation.params) : undefined,
    query,
    headers: operation.headers ? parseHeaders(req.headers, operation.headers) : undefined,
    body: operation.body ? validateBody(req, operation.body, operation.bodyOptional ?? false) : undefined,
  } as OperationInput<O>;
}
