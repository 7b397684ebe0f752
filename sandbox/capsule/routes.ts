import type { Request, Response, Router } from 'express';
import type { Answer } from '../core/provider.ts';
import { received } from '../core/received.ts';
import { type CapsuleHandler, readEmbeds, readQuery, respond } from './call.ts';
import type { Session } from './credentials.ts';
import { forbidden, malformed, unauthorized, wrongMediaType, wrongMethod } from './errors.ts';
import { filterOpportunities } from './filter.ts';
import {
  getOpportunities,
  listDeleted,
  listOpportunities,
  listPartyOpportunities,
  searchOpportunities,
} from './list.ts';
import {
  getCurrentUser,
  getDefinition,
  getMilestone,
  getPipeline,
  getSite,
  getUser,
  listAllMilestones,
  listCurrencies,
  listDefinitions,
  listLostReasons,
  listMilestones,
  listPipelineMilestones,
  listPipelines,
  listTagDefinitions,
  listTags,
  listTeams,
  listUsers,
} from './lookups.ts';
import { addParty, getParty, listOtherParties, removeParty } from './parties.ts';
import type { CapsuleState } from './state.ts';
import { createOpportunity, deleteOpportunity, updateOpportunity } from './write.ts';

export type RouteDeps = {
  nowMs: () => number;
  origin: () => string;
  state: () => CapsuleState;
  authenticate: (header: string | undefined) => Session | undefined;
};

type Methods = {
  get?: CapsuleHandler;
  post?: CapsuleHandler;
  put?: CapsuleHandler;
  delete?: CapsuleHandler;
  /** A POST that only reads, and so is open to read-only tokens. */
  search?: CapsuleHandler;
};

/** Creates come first: they are nearly all of the traffic, and routes are tried in order. */
const ROUTES: Record<string, Methods> = {
  '/opportunities': { post: createOpportunity, get: listOpportunities },
  '/opportunities/:id/parties/:otherId': { post: addParty, delete: removeParty },
  '/opportunities/filters/results': { search: filterOpportunities },
  '/opportunities/deleted': { get: listDeleted },
  '/opportunities/search': { get: searchOpportunities },
  '/opportunities/tags': { get: listTags },
  '/opportunities/tags/:id/definitions': { get: listTagDefinitions },
  '/opportunities/fields/definitions': { get: listDefinitions },
  '/opportunities/fields/definitions/:id': { get: getDefinition },
  '/opportunities/:id/parties': { get: listOtherParties },
  '/opportunities/:id': { get: getOpportunities, put: updateOpportunity, delete: deleteOpportunity },
  '/parties/:id/opportunities': { get: listPartyOpportunities },
  '/parties/:id': { get: getParty },
  '/milestones': { get: listMilestones },
  '/milestones/all': { get: listAllMilestones },
  '/milestones/:id': { get: getMilestone },
  '/pipelines': { get: listPipelines },
  '/pipelines/:id': { get: getPipeline },
  '/pipelines/:id/milestones': { get: listPipelineMilestones },
  '/users': { get: listUsers },
  '/users/current': { get: getCurrentUser },
  '/users/:id': { get: getUser },
  '/teams': { get: listTeams },
  '/lostreasons': { get: listLostReasons },
  '/currencies': { get: listCurrencies },
  '/site': { get: getSite },
};

const BASE = '/api/v2';

export function addRoutes(router: Router, deps: RouteDeps): void {
  function answer(req: Request, handler: CapsuleHandler, isWrite: boolean): Answer {
    const session = deps.authenticate(req.headers.authorization);
    if (session === undefined) return unauthorized();
    if (isWrite && !session.mayWrite) return forbidden();
    const refusal = refuseBody(req);
    if (refusal !== undefined) return refusal;
    const { id, otherId } = req.params;
    const query = readQuery(req);
    return handler({
      state: deps.state(),
      userId: session.userId,
      nowMs: deps.nowMs(),
      baseUrl: `${deps.origin()}/capsule${BASE}`,
      path: req.path.slice(BASE.length),
      id: typeof id === 'string' ? id : '',
      otherId: typeof otherId === 'string' ? otherId : '',
      query,
      embeds: readEmbeds(query),
      body: req.body,
    });
  }

  for (const [path, methods] of Object.entries(ROUTES)) {
    const route = router.route(`${BASE}${path}`);
    const serve = (method: 'get' | 'post' | 'put' | 'delete', handler: CapsuleHandler, isWrite: boolean) =>
      route[method]((req: Request, res: Response) => respond(res, answer(req, handler, isWrite)));
    if (methods.post !== undefined) serve('post', methods.post, true);
    if (methods.search !== undefined) serve('post', methods.search, false);
    if (methods.get !== undefined) serve('get', methods.get, false);
    if (methods.put !== undefined) serve('put', methods.put, true);
    if (methods.delete !== undefined) serve('delete', methods.delete, true);
    route.all((_req: Request, res: Response) => respond(res, wrongMethod()));
  }
}

/** A body, where there is one, has to be JSON; adding a party has none. */
function refuseBody(req: Request): Answer | undefined {
  const { raw, mediaType, jsonError } = received(req);
  if (raw.length === 0) return undefined;
  if (mediaType !== 'application/json') return wrongMediaType();
  return jsonError === undefined ? undefined : malformed();
}
