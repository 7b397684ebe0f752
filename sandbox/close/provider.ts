import express, { type Request, type Response, type Router } from 'express';
import type { SandboxEnv, SandboxProvider } from '../core/provider.ts';
import { received } from '../core/received.ts';
import { overridingMethod, respond } from './call.ts';
import { createCredentials } from './credentials.ts';
import { statusAnswer, unknownUrl } from './errors.ts';
import { limitAnswer, successHeaders } from './limits.ts';
import { answerRevokeRequest, answerTokenRequest } from './oauth.ts';
import { applyOptions, defaultOptions } from './options.ts';
import { addRoutes } from './routes.ts';
import { showOpportunity } from './show-opportunity.ts';
import { createState } from './state.ts';

/** Close CRM, as its developer pages and published recordings describe it. */
export function createClose(env: SandboxEnv): SandboxProvider {
  const { nowMs } = env;
  let options = defaultOptions();
  let state = createState(env, () => options);
  let credentials = createCredentials(nowMs, state.users);

  // Every path of Close ends in a slash; without it the URL is unknown.
  const router: Router = express.Router({ strict: true, caseSensitive: true });
  router.use((req: Request, _res: Response, next) => {
    if (req.method === 'POST') req.method = overridingMethod(req) ?? req.method;
    next();
  });
  addRoutes(router, {
    nowMs,
    state: () => state,
    authenticate: (header) => credentials.authenticate(header),
  });
  router.post('/oauth2/token/', (req: Request, res: Response) =>
    respond(res, answerTokenRequest(credentials, received(req).mediaType, req.body)),
  );
  router.post('/oauth2/revoke/', (req: Request, res: Response) =>
    respond(res, answerRevokeRequest(credentials, req.body)),
  );
  router.use((_req: Request, res: Response) => respond(res, unknownUrl()));

  return {
    name: 'close',
    router,
    reset() {
      options = defaultOptions();
      state = createState(env, () => options);
      credentials = createCredentials(nowMs, state.users);
    },
    records: () => [...state.opportunities.all()].map((record) => showOpportunity(record, state)),
    configure(given) {
      options = applyOptions(options, given);
    },
    expireTokens: () => credentials.expireAccessTokens(),
    limitAnswer: (_req, hint) => limitAnswer(hint, options, nowMs()),
    statusAnswer,
    successHeaders: (window) => successHeaders(window, options, nowMs()),
    isMetered: ({ path }) => !path.startsWith('/oauth2/'),
  };
}
