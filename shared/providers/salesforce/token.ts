import { SignJWT } from 'jose';
import type { StoredCredentials } from '../../domain/integrated-account.ts';
import { readRsaKey } from '../../domain/private-key.ts';
import type { AnsweredCall, TokenReading, TokenRequest } from '../port.ts';
import { stripApiPath } from './paths.ts';
import { TokenAnswer, TokenError } from './responses.ts';

/** Assertions are for one request; Salesforce wants them to end within minutes. */
const ASSERTION_SECONDS = 180;

/**
 * {@link ProviderClient.tokenRequest} for the three grants; undefined for credentials of other providers.
 * @throws if the private key is no RSA key in PEM; the message holds nothing of it.
 * @see https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm
 */
export async function tokenRequest(
  credentials: StoredCredentials,
  nowMs: number,
): Promise<TokenRequest | undefined> {
  switch (credentials.type) {
    case 'oauth2_refresh_token': {
      if (!('instance_url' in credentials) || credentials.instance_url === undefined) return undefined;
      const login = 'login_url' in credentials ? credentials.login_url : undefined;
      const form: Record<string, string> = {
        grant_type: 'refresh_token',
        refresh_token: credentials.refresh_token,
        client_id: credentials.client_id,
      };
      if (credentials.client_secret !== undefined) form.client_secret = credentials.client_secret;
      return { url: tokenUrl(login ?? credentials.instance_url), form };
    }
    case 'oauth2_client_credentials': {
      const { client_id, client_secret, instance_url } = credentials;
      // Only the organisation's own host knows whom the app runs as.
      return {
        url: tokenUrl(instance_url),
        form: { grant_type: 'client_credentials', client_id, client_secret },
      };
    }
    case 'jwt_bearer': {
      const assertion = await signAssertion(credentials, nowMs);
      const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
      return { url: tokenUrl(credentials.login_url), form: { grant_type, assertion } };
    }
    default:
      return undefined;
  }
}

function tokenUrl(host: string): string {
  return `${stripApiPath(host)}/services/oauth2/token`;
}

async function signAssertion(
  credentials: { client_id: string; username: string; login_url: string; private_key: string },
  nowMs: number,
): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(credentials.client_id)
    .setSubject(credentials.username)
    .setAudience(audienceOf(credentials.login_url))
    .setExpirationTime(Math.floor(nowMs / 1000) + ASSERTION_SECONDS)
    .sign(keyOf(credentials.private_key));
}

/** The login host the organisation belongs to: an assertion is not addressed to the organisation's own host. */
function audienceOf(loginUrl: string): string {
  const url = new URL(stripApiPath(loginUrl));
  if (/\.(?:sandbox|scratch)\.my\.salesforce\.com$/.test(url.hostname)) return 'https://test.salesforce.com';
  if (url.hostname.endsWith('.my.salesforce.com')) return 'https://login.salesforce.com';
  return stripApiPath(loginUrl);
}

function keyOf(pem: string) {
  const key = readRsaKey(pem);
  if (key) return key;
  // Refused when it is submitted: it was sealed by an older version.
  throw new Error('credentials.private_key is not an unencrypted RSA private key in PEM (PKCS#8 or PKCS#1)');
}

/** OAuth errors that a new try may cure. */
const PASSING_ERRORS = new Set(['unknown_error', 'temporarily_unavailable', 'server_error', 'slow_down']);

/**
 * {@link ProviderClient.readToken}. There is no `expires_in`; a rotated refresh token and a moved `instance_url` are
 * part of the update and must be stored before the access token is used.
 * @see https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flow_errors.htm
 */
export function readToken(answer: AnsweredCall): TokenReading {
  const tokens = TokenAnswer.safeParse(answer.body);
  if (answer.status === 200 && tokens.success) {
    const { access_token, instance_url, refresh_token } = tokens.data;
    return {
      kind: 'tokens',
      update: {
        access_token,
        ...(instance_url === undefined ? {} : { instance_url }),
        ...(refresh_token === undefined ? {} : { refresh_token }),
      },
    };
  }
  const error = TokenError.safeParse(answer.body);
  if (!error.success || answer.status >= 500 || answer.status === 429) {
    return { kind: 'retryable', message: `Salesforce answered ${answer.status} to the token request` };
  }
  const { error: code, error_description: description } = error.data;
  const message = description === undefined ? code : `${code}: ${description}`;
  return { kind: PASSING_ERRORS.has(code) ? 'retryable' : 'dead', message };
}
