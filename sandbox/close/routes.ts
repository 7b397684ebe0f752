import type { Request, Response, Router } from 'express';
import type { Answer } from '../core/provider.ts';
import { received } from '../core/received.ts';
import { type CloseHandler, readParams, respond } from './call.ts';
import type { Session } from './credentials.ts';
import {
  createCustomField,
  getCustomField,
  getCustomFieldSchema,
  listCustomFields,
} from './custom-fields.ts';
import { badRequest, unauthorized, wrongMethod } from './errors.ts';
import { getEvent, listEvents } from './events.ts';
import { getOpportunity, listOpportunities } from './list.ts';
import {
  getContact,
  getLead,
  getMe,
  getOrganisation,
  getUser,
  listPipelines,
  listStatuses,
  listUsers,
} from './lookups.ts';
import { searchData } from './search.ts';
import type { CloseState } from './state.ts';
import { createOpportunity, deleteOpportunity, updateOpportunity } from './write.ts';

export type RouteDeps = {
  nowMs: () => number;
  state: () => CloseState;
  authenticate: (header: string | undefined) => Session | undefined;
};

type Methods = { get?: CloseHandler; post?: CloseHandler; put?: CloseHandler; delete?: CloseHandler };

/** Creates come first: they are nearly all of the traffic, and routes are tried in order. */
const ROUTES: Record<string, Methods> = {
  '/opportunity/': { post: createOpportunity, get: listOpportunities },
  '/opportunity/:id/': { get: getOpportunity, put: updateOpportunity, delete: deleteOpportunity },
  '/event/': { get: listEvents },
  '/event/:id/': { get: getEvent },
  '/data/search/': { post: searchData },
  '/me/': { get: getMe },
  '/user/': { get: listUsers },
  '/user/:id/': { get: getUser },
  '/organization/:id/': { get: getOrganisation },
  '/status/opportunity/': { get: listStatuses },
  '/pipeline/': { get: listPipelines },
  '/custom_field/opportunity/': { get: listCustomFields, post: createCustomField },
  '/custom_field/opportunity/:id/': { get: getCustomField },
  '/custom_field_schema/opportunity/': { get: getCustomFieldSchema },
  '/lead/:id/': { get: getLead },
  '/contact/:id/': { get: getContact },
};

const BASE = '/api/v1';

export function addRoutes(router: Router, deps: RouteDeps): void {
  let requests = 0;

  function answer(req: Request, handler: CloseHandler): Answer {
    const session = deps.authenticate(req.headers.authorization);
    if (session === undefined) return unauthorized();
    const refusal = refuseBody(req);
    if (refusal !== undefined) return refusal;
    requests += 1;
    const nowMs = deps.nowMs();
    const { id } = req.params;
    return handler({
      state: deps.state(),
      session,
      nowMs,
      method: req.method,
      path: req.path,
      requestId: `req_${requests.toString(36).padStart(12, '0')}`,
      tzOffset: readHeader(req, 'x-tz-offset'),
      id: typeof id === 'string' ? id : '',
      params: readParams(req),
      body: req.body,
      raw: received(req).raw,
    });
  }

  for (const [path, methods] of Object.entries(ROUTES)) {
    const route = router.route(`${BASE}${path}`);
    for (const method of ['post', 'get', 'put', 'delete'] as const) {
      const handler = methods[method];
      if (handler === undefined) continue;
      route[method]((req: Request, res: Response) => respond(res, answer(req, handler)));
    }
    route.all((_req: Request, res: Response) => respond(res, wrongMethod()));
  }
}

/** What the web framework refuses before the API looks at a body. */
function refuseBody(req: Request): Answer | undefined {
  if (req.method === 'GET' || req.method === 'DELETE') return undefined;
  if (req.headers['transfer-encoding'] !== undefined) {
    return badRequest('Chunked Transfer-Encoding is not supported.');
  }
  const { mediaType, jsonError } = received(req);
  if (mediaType !== 'application/json') {
    return badRequest('Invalid Content-Type: only application/json is accepted.');
  }
  return jsonError === undefined ? undefined : badRequest('The request contains invalid JSON.');
}

function readHeader(req: Request, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' ? value : undefined;
}
