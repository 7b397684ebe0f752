import type { IncomingMessage, ServerResponse } from 'node:http';
import { Router } from 'express';
import type { SandboxEnv, SandboxProvider } from '../core/provider.ts';
import { createAllocation } from './allocation.ts';
import { limitAnswer, limitExceeded, lockAnswer, statusAnswer } from './answers.ts';
import { createBulkResource } from './bulk/resource.ts';
import { createStore } from './data/store.ts';
import { notFound, RestFailure } from './errors.ts';
import { sendReply, toReply, toRestCall } from './http.ts';
import { createOauth } from './oauth/endpoint.ts';
import { createTokens, type Tokens } from './oauth/tokens.ts';
import { representRecord } from './read/represent.ts';
import { createResources, listVersions } from './resources.ts';
import type { RestReply } from './rest.ts';
import { createOrg } from './schema/org.ts';
import { createQueryResource } from './soql/pages.ts';
import { defaultSwitches, parseSwitches } from './switches.ts';
import type { OrgState } from './write/context.ts';

const dataUrl = /^\/services\/data\/v(\d+\.\d)(?:\/|(?=\?)|$)/;
// The version that `/_control/records` shows records in.
const recordsVersion = '67.0';

/** A Salesforce org with its login host, at `/salesforce` and, as real instance URLs have no path, at `/services/`. */
export function createSalesforce(env: SandboxEnv): SandboxProvider {
  let session = open(env);
  let locks = 0;

  const oauth = createOauth({ state: () => session.state, tokens: () => session.tokens, origin: env.origin });

  function handle(req: IncomingMessage & { body?: unknown }): RestReply {
    const url = req.url ?? '/';
    const path = url.split('?', 1)[0] ?? '/';
    const authorization = req.headers.authorization ?? '';
    if (path.startsWith('/services/oauth2/')) {
      return oauth({ method: req.method ?? 'GET', path, form: req.body, authorization });
    }
    if (path === '/services/data' || path === '/services/data/') return { status: 200, body: listVersions() };
    const match = dataUrl.exec(url);
    if (match === null) throw new RestFailure(notFound());
    const userId = authenticate(authorization, session.tokens);
    if (!session.state.switches.api_enabled) throw new RestFailure(apiDisabled);
    spend();
    const reply = answer(() => {
      const rest = url.slice(match[0].length);
      return session.execute(toRestCall(req, url, match[1] ?? '', rest, session.state, userId));
    });
    return { ...reply, headers: { 'sforce-limit-info': limitInfo(), ...reply.headers } };
  }

  /** One per HTTP call, whatever is inside it. */
  function spend(): void {
    const { allocation, state } = session;
    const nowMs = env.nowMs();
    if (allocation.used(nowMs) >= state.switches.daily_limit)
      throw new RestFailure(limitExceeded('TotalRequests'));
    allocation.spend(nowMs);
  }

  /** Asynchronous in the real API: replies close together show numbers out of order. */
  function limitInfo(): string {
    const { allocation, state } = session;
    const used = allocation.used(env.nowMs());
    const lag = state.switches.stale_limit_info ? (used * 7) % 4 : 0;
    return `api-usage=${Math.max(1, used - lag)}/${state.switches.daily_limit}`;
  }

  const router = Router();
  router.use((req: IncomingMessage, res: ServerResponse) =>
    sendReply(
      req,
      res,
      answer(() => handle(req)),
    ),
  );

  return {
    name: 'salesforce',
    router,
    rootPaths: ['/services/'],
    reset() {
      session.bulk.stop();
      session = open(env);
    },
    records: () => {
      const { org, store } = session.state;
      const object = org.object('Opportunity');
      if (object === undefined) return [];
      return [...store.table('Opportunity').all()].map((record) =>
        representRecord(object, record, recordsVersion),
      );
    },
    countRecords: () => session.state.store.table('Opportunity').size(),
    configure(options) {
      const { state } = session;
      Object.assign(state.switches, parseSwitches(options));
      state.org = createOrg(state.switches);
    },
    expireTokens: () => session.tokens.expireAccessTokens(),
    limitAnswer: (_req, hint) => limitAnswer(session.state.switches, hint, env.nowMs()),
    statusAnswer,
    lockAnswer() {
      locks += 1;
      return lockAnswer(session.state.switches.lock_status ?? (locks % 2 === 1 ? 400 : 500));
    },
    // Sforce-Limit-Info counts the org's day and only what was authorised, so that the router sets it.
    successHeaders: () => ({}),
    isMetered: ({ path }) => dataUrl.test(path),
  };
}

/** A fresh org: seed data, default switches, no sessions but the demo ones. */
function open(env: SandboxEnv) {
  const switches = { ...defaultSwitches };
  const store = createStore(env.nowMs(), env.nextNumber);
  const state: OrgState = {
    org: createOrg(switches),
    store,
    switches,
    nowMs: env.nowMs,
    lastCallNumber: env.lastCallNumber,
  };
  const allocation = createAllocation();
  const bulk = createBulkResource();
  const used = (): number => allocation.used(env.nowMs());
  const execute = createResources({ query: createQueryResource(), bulk, used });
  return { state, allocation, bulk, execute, tokens: createTokens(store, env.nowMs) };
}

/** The reply, also where the handling ended in a failure of the call. */
function answer(handle: () => RestReply): RestReply {
  try {
    return handle();
  } catch (error) {
    if (error instanceof RestFailure) return toReply(error);
    throw error;
  }
}

const apiDisabled = {
  code: 'API_DISABLED_FOR_ORG',
  message: 'The REST API is not enabled for this Organization.',
  status: 403,
};

/** The user of the session. Source: REST API, Status Codes and Error Responses (401). */
function authenticate(authorization: string, tokens: Tokens): string {
  const match = /^(?:Bearer|OAuth) (\S+)$/i.exec(authorization);
  if (match === null && authorization !== '') {
    throw new RestFailure({ code: 'INVALID_AUTH_HEADER', message: 'INVALID_HEADER_TYPE', status: 401 });
  }
  const userId = tokens.findUser(match?.[1] ?? '');
  if (userId !== undefined) return userId;
  throw new RestFailure({ code: 'INVALID_SESSION_ID', message: 'Session expired or invalid', status: 401 });
}
