import type { Answer } from '../core/provider.ts';
import { isObject } from './call.ts';
import { CLIENT_ID, CLIENT_SECRET, type Credentials } from './credentials.ts';
import { ORGANISATION_ID } from './organisation.ts';

/** The token endpoint takes a form, not JSON ("Authentication with OAuth"). */
export function answerTokenRequest(credentials: Credentials, mediaType: string, form: unknown): Answer {
  if (mediaType !== 'application/x-www-form-urlencoded' || !isObject(form)) {
    return oauthError(400, 'invalid_request');
  }
  if (form.client_id !== CLIENT_ID || form.client_secret !== CLIENT_SECRET) {
    return oauthError(401, 'invalid_client');
  }
  if (form.grant_type !== 'refresh_token') return oauthError(400, 'unsupported_grant_type');
  if (typeof form.refresh_token !== 'string') return oauthError(400, 'invalid_request');
  const grant = credentials.refresh(form.refresh_token);
  if (grant === undefined) return oauthError(400, 'invalid_grant');
  return {
    status: 200,
    body: {
      token_type: 'Bearer',
      access_token: grant.accessToken,
      expires_in: grant.expiresInS,
      refresh_token: grant.refreshToken,
      scope: 'all.full_access offline_access',
      organization_id: ORGANISATION_ID,
      user_id: grant.userId,
    },
  };
}

export function answerRevokeRequest(credentials: Credentials, form: unknown): Answer {
  if (!isObject(form) || typeof form.token !== 'string') return oauthError(400, 'invalid_request');
  credentials.revoke(form.token);
  return { status: 200, body: {} };
}

function oauthError(status: number, error: string): Answer {
  return { status, body: { error } };
}
