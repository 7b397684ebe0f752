import type { StoredCredentials } from '../../domain/integrated-account.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import { readOAuthToken } from '../oauth-token.ts';
import type { Call, FollowUp, Looked, ProviderClient, TokenRequest } from '../port.ts';
import { answeredWith, orWhenHidden } from '../read-call.ts';
import { baseUrl } from './descriptor.ts';
import { fetchCurrentUser, fetchFacts, nameOfUser } from './facts.ts';
import { isAlreadyThere } from './failures.ts';
import { find } from './find.ts';
import { listAll } from './paging.ts';
import { EMBED } from './plan-body.ts';
import { CapsuleParty } from './responses.ts';

/** @see https://developer.capsulecrm.com/v2/overview/authentication */
function authorize(credentials: StoredCredentials): Record<string, string> {
  const token = credentials.type === 'personal_access_token' ? credentials.token : credentials.access_token;
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

async function tokenRequest(credentials: StoredCredentials): Promise<TokenRequest | undefined> {
  if (credentials.type !== 'oauth2_refresh_token') return undefined;
  const given = 'token_url' in credentials ? credentials.token_url : undefined;
  return {
    url: given ?? `${baseUrl(credentials)}/oauth/token`,
    form: {
      client_id: credentials.client_id,
      client_secret: credentials.client_secret ?? '',
      grant_type: 'refresh_token',
      refresh_token: credentials.refresh_token,
    },
  };
}

async function check(call: Call): Promise<Looked<{ user: string; organisation?: string }>> {
  const me = await fetchCurrentUser(call, 'check');
  return me.ok ? { ok: true, value: { user: nameOfUser(me.value) } } : me;
}

/** The record with its embeds, and the further contacts beside it, which no embed brings. */
async function readBack(call: Call, remoteId: string): Promise<Looked<unknown | undefined>> {
  const path = `/api/v2/opportunities/${encodeURIComponent(remoteId)}`;
  const result = await call({ method: 'GET', path, query: { embed: EMBED }, purpose: 'read_back' });
  if (answeredWith(result, 404)) return { ok: true, value: undefined };
  const record = answeredWith(result, 200)?.body;
  if (!isJsonObject(record)) return { ok: false, result };
  const request = { method: 'GET', path: `${path}/parties`, purpose: 'read_back' } as const;
  const parties = orWhenHidden(await listAll(call, request, 'parties', CapsuleParty), {
    rows: [],
    complete: false,
  });
  return parties.ok ? { ok: true, value: { ...record, parties: parties.value.rows } } : parties;
}

/** Adds one contact. To repeat it is harmless: Capsule says that the party is there already. */
async function followUp(call: Call, remoteId: string, followUp: FollowUp): Promise<Looked<void>> {
  const party = encodeURIComponent(String(followUp.data.partyId));
  const path = `/api/v2/opportunities/${encodeURIComponent(remoteId)}/parties/${party}`;
  const result = await call({ method: 'POST', path, purpose: 'follow_up' });
  const isDone =
    result.kind === 'answered' && ([200, 201, 204].includes(result.status) || isAlreadyThere(result));
  return isDone ? { ok: true, value: undefined } : { ok: false, result };
}

/** The I/O half of the Capsule connector. */
export const capsuleClient: ProviderClient = {
  authorize,
  tokenRequest,
  readToken: (answer, nowMs) => readOAuthToken(answer, nowMs, 'Capsule'),
  fetchFacts,
  check,
  readBack,
  followUp,
  find,
};
