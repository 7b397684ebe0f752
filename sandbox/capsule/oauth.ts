import type { Answer } from '../core/provider.ts';
import { isObject } from './call.ts';
import { CLIENT_ID, CLIENT_SECRET, type Credentials } from './credentials.ts';

/** Form or JSON, the client's secret in the body or as Basic ("Authentication"). */
export function answerTokenRequest(
  credentials: Credentials,
  authorization: string | undefined,
  body: unknown,
): Answer {
  if (!isObject(body)) return oauthError(400, 'invalid_request');
  if (!isClient(authorization, body)) return oauthError(401, 'invalid_client');
  if (body.grant_type !== 'refresh_token') return oauthError(400, 'unsupported_grant_type');
  if (typeof body.refresh_token !== 'string') return oauthError(400, 'invalid_request');
  const grant = credentials.refresh(body.refresh_token);
  if (grant === undefined) return oauthError(400, 'invalid_grant');
  return {
    status: 200,
    body: {
      access_token: grant.accessToken,
      refresh_token: grant.refreshToken,
      token_type: 'bearer',
      expires_in: grant.expiresInS,
      scope: 'read write',
      subdomain: 'demo',
    },
  };
}

export function answerRevokeRequest(credentials: Credentials, body: unknown): Answer {
  if (!isObject(body) || typeof body.token !== 'string') return oauthError(400, 'invalid_request');
  credentials.revoke(body.token);
  return { status: 200, body: {} };
}

function isClient(authorization: string | undefined, body: Record<string, unknown>): boolean {
  if (authorization?.startsWith('Basic ') === true) {
    const decoded = Buffer.from(authorization.slice('Basic '.length), 'base64').toString('utf8');
    return decoded === `${CLIENT_ID}:${CLIENT_SECRET}`;
  }
  return body.client_id === CLIENT_ID && body.client_secret === CLIENT_SECRET;
}

function oauthError(status: number, error: string): Answer {
  return { status, body: { error } };
}
