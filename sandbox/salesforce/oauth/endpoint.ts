import { createHmac } from 'node:crypto';
import { integrationUserId, organizationId } from '../data/seed.ts';
import type { RestReply } from '../rest.ts';
import type { OrgState } from '../write/context.ts';
import { isPlainObject } from '../write/parse.ts';
import { checkAssertion } from './assertion.ts';
import { demoClient, type Tokens } from './tokens.ts';

export type OauthDeps = {
  state: () => OrgState;
  tokens: () => Tokens;
  origin: () => string;
};

export type OauthCall = { method: string; path: string; form: unknown; authorization: string };

type Form = Record<string, string>;

/** `/services/oauth2/…`. Source: Salesforce Help, OAuth Authorization Flows. */
export function createOauth({ state, tokens, origin }: OauthDeps) {
  const baseUrl = (): string => `${origin()}/salesforce`;

  function token(call: OauthCall): RestReply {
    const { switches } = state();
    if (switches.token_unknown_errors > 0) {
      switches.token_unknown_errors -= 1;
      return refuse('unknown_error', 'retry your request');
    }
    const form = formOf(call);
    switch (form.grant_type) {
      case 'refresh_token':
        return refresh(form);
      case 'client_credentials':
        return checkClient(form, true) ?? grant(integrationUserId);
      case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
        return bearer(form);
      default:
        return refuse('unsupported_grant_type', 'grant type not supported');
    }
  }

  function refresh(form: Form): RestReply {
    const refused = checkClient(form, false);
    if (refused !== undefined) return refused;
    const old = form.refresh_token ?? '';
    const userId = tokens().findGrant(old);
    if (userId === undefined) return refuse('invalid_grant', 'expired access/refresh token');
    if (!isActive(userId)) return refuse('invalid_grant', 'inactive user');
    if (!state().switches.token_rotation) return grant(userId);
    // The old token dies with the answer, whether or not the client gets it.
    tokens().revoke(old);
    return grant(userId, { refresh_token: tokens().issueRefresh(userId) });
  }

  function bearer(form: Form): RestReply {
    const { switches, store, nowMs } = state();
    const audiences = [
      'https://login.salesforce.com',
      'https://test.salesforce.com',
      origin(),
      baseUrl(),
      `${baseUrl()}/services/oauth2/token`,
    ];
    const rules = { clientId: demoClient.id, audiences, publicKey: switches.jwt_public_key, nowMs: nowMs() };
    const result = checkAssertion(form.assertion ?? '', rules);
    if ('error' in result) return refuse('invalid_grant', result.error);
    const user = store.table('User').findBy('Username', result.claims.sub)?.[0];
    if (user === undefined) return refuse('invalid_grant', "user hasn't approved this consumer");
    if (!isActive(user.id)) return refuse('invalid_grant', 'inactive user');
    return grant(user.id);
  }

  function isActive(userId: string): boolean {
    return state().store.table('User').get(userId)?.values.IsActive === true;
  }

  /** No `expires_in`; `issued_at` is a text of milliseconds. */
  function grant(userId: string, extra: Form = {}): RestReply {
    const { switches, nowMs } = state();
    const id = `https://login.salesforce.com/id/${organizationId}/${userId}`;
    const issuedAt = String(nowMs());
    const body = {
      access_token: tokens().issueAccess(userId, switches.token_ttl_s),
      ...extra,
      signature: createHmac('sha256', demoClient.secret).update(`${id}${issuedAt}`).digest('base64'),
      scope: 'refresh_token api',
      instance_url: switches.instance_url ?? baseUrl(),
      id,
      token_type: 'Bearer',
      issued_at: issuedAt,
    };
    return { status: 200, body };
  }

  function userinfo(call: OauthCall): RestReply {
    const accessToken = call.authorization.replace(/^(?:Bearer|OAuth)\s+/i, '');
    const userId = tokens().findUser(accessToken);
    const user = userId === undefined ? undefined : state().store.table('User').get(userId);
    if (user === undefined)
      return { status: 403, body: 'Bad_OAuth_Token', contentType: 'text/html;charset=UTF-8' };
    const { Name, Username, Email, IsActive } = user.values;
    const sub = `https://login.salesforce.com/id/${organizationId}/${user.id}`;
    const body = {
      sub,
      user_id: user.id,
      organization_id: organizationId,
      preferred_username: Username,
      name: Name,
      email: Email,
      active: IsActive,
      urls: { rest: `${baseUrl()}/services/data/v{version}/`, custom_domain: baseUrl() },
    };
    return { status: 200, body };
  }

  return function handleOauth(call: OauthCall): RestReply {
    const action = call.path.replace('/services/oauth2/', '');
    if (action === 'userinfo') return userinfo(call);
    if (call.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
    if (action === 'token') return token(call);
    if (action !== 'revoke') return { status: 404 };
    if (tokens().revoke(formOf(call).token ?? '')) return { status: 200 };
    return refuse('unsupported_token_type', 'this token type is not supported');
  };
}

/** Token errors are an object under 400, unlike every other error. */
function refuse(error: string, description: string): RestReply {
  return { status: 400, body: { error, error_description: description } };
}

function checkClient(form: Form, secretIsRequired: boolean): RestReply | undefined {
  if (form.client_id !== demoClient.id) return refuse('invalid_client_id', 'client identifier invalid');
  const secret = form.client_secret;
  if (secret === undefined && !secretIsRequired) return undefined;
  return secret === demoClient.secret ? undefined : refuse('invalid_client', 'invalid client credentials');
}

/** The form, with the client from HTTP Basic where it came that way. */
function formOf({ form, authorization }: OauthCall): Form {
  const fields: Form = {};
  for (const [name, value] of Object.entries(isPlainObject(form) ? form : {})) fields[name] = String(value);
  const basic = /^Basic\s+(.+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return fields;
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return { client_id: decodeURIComponent(id), client_secret: decodeURIComponent(secret), ...fields };
}
