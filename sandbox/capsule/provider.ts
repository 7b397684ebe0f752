import express, { type Request, type Response, type Router } from 'express';
import type { SandboxEnv, SandboxProvider } from '../core/provider.ts';
import { respond } from './call.ts';
import { createCredentials } from './credentials.ts';
import { statusAnswer, unknownPath } from './errors.ts';
import { limitAnswer, successHeaders } from './limits.ts';
import { answerRevokeRequest, answerTokenRequest } from './oauth.ts';
import { applyOptions, defaultOptions } from './options.ts';
import { addRoutes } from './routes.ts';
import { showOpportunity } from './show.ts';
import { createState } from './state.ts';

const RECORD_EMBEDS: ReadonlySet<string> = new Set(['tags', 'fields']);

/** Capsule CRM, as its developer pages and published findings describe it. */
export function createCapsule(env: SandboxEnv): SandboxProvider {
  const { nowMs } = env;
  let options = defaultOptions();
  let state = createState(() => options, env.nextNumber);
  let credentials = createCredentials(nowMs, state.users, () => options);

  const router: Router = express.Router({ strict: true, caseSensitive: true });
  addRoutes(router, {
    nowMs,
    origin: env.origin,
    state: () => state,
    authenticate: (header) => credentials.authenticate(header),
  });
  router.post('/oauth/token', (req: Request, res: Response) =>
    respond(res, answerTokenRequest(credentials, req.headers.authorization, req.body)),
  );
  // The discovery document and the page name different paths for this.
  router.post(['/oauth/revoke', '/oauth/token/revoke'], (req: Request, res: Response) =>
    respond(res, answerRevokeRequest(credentials, req.body)),
  );
  router.use((_req: Request, res: Response) => respond(res, unknownPath()));

  return {
    name: 'capsule',
    router,
    reset() {
      options = defaultOptions();
      state = createState(() => options, env.nextNumber);
      credentials = createCredentials(nowMs, state.users, () => options);
    },
    records: () =>
      [...state.opportunities.all()].map((record) => ({
        ...showOpportunity(record, state, RECORD_EMBEDS),
        additionalParties: record.otherPartyIds.map((id) => ({ id })),
      })),
    configure(given) {
      options = applyOptions(options, given);
    },
    expireTokens: () => credentials.expireAccessTokens(),
    limitAnswer: (_req, hint) => limitAnswer(hint, nowMs()),
    statusAnswer,
    successHeaders: (window) => successHeaders(window, nowMs()),
    isMetered: ({ path }) => !path.startsWith('/oauth/'),
  };
}
