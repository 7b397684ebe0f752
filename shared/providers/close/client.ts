import type { StoredCredentials } from '../../domain/integrated-account.ts';
import { readOAuthToken } from '../oauth-token.ts';
import type { AnsweredCall, Call, Looked, ProviderClient, TokenReading, TokenRequest } from '../port.ts';
import { answeredWith, readAs } from '../read-call.ts';
import { baseUrl } from './descriptor.ts';
import { fetchFacts, lookUp, nameOf } from './facts.ts';
import { find } from './find.ts';
import { CloseMe } from './responses.ts';

/**
 * An API key is the user name of Basic authentication, with an empty password: the colon must be there.
 * @see https://developer.close.com/api/overview/api-key-authentication
 */
function authorize(credentials: StoredCredentials): Record<string, string> {
  if (credentials.type === 'api_key')
    return { authorization: `Basic ${Buffer.from(`${credentials.api_key}:`).toString('base64')}` };
  return credentials.access_token === undefined
    ? {}
    : { authorization: `Bearer ${credentials.access_token}` };
}

/** @see https://developer.close.com/api/overview/oauth-authentication */
async function tokenRequest(credentials: StoredCredentials): Promise<TokenRequest | undefined> {
  if (credentials.type !== 'oauth2_refresh_token') return undefined;
  const given = 'token_url' in credentials ? credentials.token_url : undefined;
  return {
    url: given ?? `${baseUrl(credentials)}/oauth2/token/`,
    form: {
      client_id: credentials.client_id,
      client_secret: credentials.client_secret ?? '',
      grant_type: 'refresh_token',
      refresh_token: credentials.refresh_token,
    },
  };
}

function readToken(answer: AnsweredCall, nowMs: number): TokenReading {
  return readOAuthToken(answer, nowMs, 'Close');
}

async function check(call: Call): Promise<Looked<{ user: string; organisation?: string }>> {
  const me = await readAs(call, { ...lookUp('/api/v1/me/'), purpose: 'check' }, CloseMe);
  if (!me.ok) return me;
  const organisation = me.value.organizations?.[0]?.name ?? undefined;
  return { ok: true, value: { user: nameOf(me.value), ...(organisation ? { organisation } : {}) } };
}

async function readBack(call: Call, remoteId: string): Promise<Looked<unknown | undefined>> {
  const path = `/api/v1/opportunity/${encodeURIComponent(remoteId)}/`;
  const result = await call({ method: 'GET', path, purpose: 'read_back' });
  const answer = answeredWith(result, 200);
  if (answer) return { ok: true, value: answer.body };
  return answeredWith(result, 404) ? { ok: true, value: undefined } : { ok: false, result };
}

/** The I/O half of the Close connector. */
export const closeClient: ProviderClient = {
  authorize,
  tokenRequest,
  readToken,
  fetchFacts,
  check,
  readBack,
  // One call writes everything Close can hold: there is nothing to follow up.
  followUp: async () => ({ ok: true, value: undefined }),
  find,
};
