import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { readToken, tokenRequest } from '../../shared/providers/salesforce/token.ts';
import { useOrg } from './salesforce-org.ts';
import { anAnswer } from './salesforce-support.ts';

const org = useOrg();
const NOW = 1_800_000_000_000;
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (type: 'pkcs1' | 'pkcs8') => String(keys.privateKey.export({ type, format: 'pem' }));

const jwt = (login_url: string, private_key = pem('pkcs8')) =>
  ({
    type: 'jwt_bearer',
    login_url,
    client_id: 'demo-salesforce-client',
    username: 'u@example.com',
    private_key,
  }) as const;

async function requestFor(credentials: Parameters<typeof tokenRequest>[0], nowMs = Date.now()) {
  const request = await tokenRequest(credentials, nowMs);
  if (request === undefined) throw new Error('no token request');
  return request;
}

describe('asking for a token', () => {
  it('by refresh token stores what comes back', async () => {
    const reading = readToken(await org.token(await requestFor(org.credentials())));
    expect(reading).toEqual({
      kind: 'tokens',
      update: { access_token: expect.any(String), instance_url: `${org.origin()}/salesforce` },
    });
  });

  it('by refresh token keeps a rotated one, and is dead with the old', async () => {
    await org.configure({ token_rotation: true });
    const first = readToken(await org.token(await requestFor(org.credentials())));
    expect(first).toMatchObject({ update: { refresh_token: expect.any(String) } });
    const second = readToken(await org.token(await requestFor(org.credentials())));
    expect(second).toEqual({ kind: 'dead', message: 'invalid_grant: expired access/refresh token' });
  });

  it('by client credentials', async () => {
    const request = await requestFor({
      type: 'oauth2_client_credentials',
      instance_url: `${org.origin()}/salesforce/services/data/v62.0`,
      client_id: 'demo-salesforce-client',
      client_secret: 'demo-salesforce-secret',
    });
    expect(readToken(await org.token(request))).toMatchObject({ kind: 'tokens' });
  });

  it.each(['pkcs1', 'pkcs8'] as const)('by an assertion signed with a %s key', async (type) => {
    const jwt_public_key = String(keys.publicKey.export({ type: 'spki', format: 'pem' }));
    await org.configure({ jwt_public_key });
    const credentials = jwt(`${org.origin()}/salesforce`, pem(type).replaceAll('\n', '\\n'));
    const answer = await org.token(await requestFor(credentials));
    // The user is unknown there; that this is what is refused shows that issuer, audience, time and signature passed.
    expect(readToken(answer)).toEqual({
      kind: 'dead',
      message: expect.stringContaining('approved this consumer'),
    });
  });

  it.each([
    ['https://login.salesforce.com', 'https://login.salesforce.com'],
    ['https://test.salesforce.com/', 'https://test.salesforce.com'],
    ['https://acme.my.salesforce.com', 'https://login.salesforce.com'],
    ['https://acme--uat.sandbox.my.salesforce.com', 'https://test.salesforce.com'],
  ])('at %s addresses the assertion to %s', async (loginUrl, aud) => {
    const { url, form } = await requestFor(jwt(loginUrl), NOW);
    expect(url).toBe(`${loginUrl.replace(/\/$/, '')}/services/oauth2/token`);
    expect(decodeJwt(form.assertion ?? '')).toEqual({
      iss: 'demo-salesforce-client',
      sub: 'u@example.com',
      aud,
      exp: NOW / 1000 + 180,
    });
  });

  it('says what is wrong with a key without showing it', async () => {
    const key = 'MIIEvQIBADANBgkq';
    await expect(tokenRequest(jwt('https://login.salesforce.com', key), NOW)).rejects.toThrow(
      /RSA private key/,
    );
    await expect(tokenRequest(jwt('https://login.salesforce.com', key), NOW)).rejects.not.toThrow(key);
  });
});

describe('a token answer', () => {
  it.each([
    [400, { error: 'invalid_grant', error_description: 'inactive user' }, 'dead'],
    [
      400,
      { error: 'invalid_app_access', error_description: 'user is not admin approved to access this app' },
      'dead',
    ],
    [400, { error: 'invalid_client', error_description: 'invalid client credentials' }, 'dead'],
    [400, { error: 'app_not_found' }, 'dead'],
    [400, { error: 'unsupported_grant_type' }, 'dead'],
    [401, { error: 'invalid_client' }, 'dead'],
    [400, { error: 'unknown_error', error_description: 'retry your request' }, 'retryable'],
    [500, { error: 'invalid_grant' }, 'retryable'],
    [503, '<html>', 'retryable'],
    [404, '<html>', 'retryable'],
    [429, { error: 'invalid_request' }, 'retryable'],
    [200, { instance_url: 'https://x' }, 'retryable'],
  ])('%s %j is %s', (status, body, kind) => {
    expect(readToken(anAnswer({ status, body }))).toMatchObject({ kind, message: expect.any(String) });
  });
});
