import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { useSalesforce } from './salesforce-harness.ts';

const salesforce = useSalesforce();
const client = { client_id: 'demo-salesforce-client', client_secret: 'demo-salesforce-secret' };

function token(form: Record<string, string>, headers: Record<string, string> = {}) {
  return salesforce.send('POST', '/salesforce/services/oauth2/token', {
    body: new URLSearchParams(form).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
}
const refresh = (refreshToken = 'demo-salesforce-refresh') =>
  token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...client });
const text = (body: unknown, name: string) => String(Reflect.get(Object(body), name));

describe('the token endpoint', () => {
  it('answers without expires_in, with issued_at as text and no refresh token', async () => {
    const { status, body } = await refresh();
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^00D\w{12}!/),
      signature: expect.any(String),
      scope: 'refresh_token api',
      instance_url: salesforce.instanceUrl(),
      id: expect.stringMatching(/^https:\/\/login\.salesforce\.com\/id\/00D\w{15}\/005\w{15}$/),
      token_type: 'Bearer',
      issued_at: expect.stringMatching(/^\d{13}$/),
    });
    const headers = { authorization: `Bearer ${text(body, 'access_token')}` };
    expect((await salesforce.api('GET', '/limits', undefined, headers)).status).toBe(200);
  });

  it('kills the old refresh token under rotation', async () => {
    await salesforce.configure({ token_rotation: true });
    const { body } = await refresh();
    expect(await refresh()).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'expired access/refresh token' },
    });
    expect((await refresh(text(body, 'refresh_token'))).status).toBe(200);
  });

  it('makes a user of its own for each suffix', async () => {
    const ids = [await refresh('demo-salesforce-refresh-a'), await refresh('demo-salesforce-refresh-b')].map(
      (reply) => text(reply.body, 'id'),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('fails transiently, then works', async () => {
    await salesforce.configure({ token_unknown_errors: 1 });
    expect(await refresh()).toMatchObject({
      status: 400,
      body: { error: 'unknown_error', error_description: 'retry your request' },
    });
    expect((await refresh()).status).toBe(200);
  });

  it.each([
    [{ grant_type: 'password' }, 'unsupported_grant_type'],
    [{ grant_type: 'client_credentials', client_id: 'nobody' }, 'invalid_client_id'],
    [{ grant_type: 'client_credentials', ...client, client_secret: 'wrong' }, 'invalid_client'],
    [{ grant_type: 'refresh_token', ...client, refresh_token: 'wrong' }, 'invalid_grant'],
  ])('refuses %o with %s', async (form, error) => {
    expect(await token({ ...form })).toMatchObject({ status: 400, body: { error } });
  });

  it('takes client credentials, also by HTTP Basic, and knows who asks', async () => {
    const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
    const { status, body } = await token(
      { grant_type: 'client_credentials' },
      { authorization: `Basic ${basic}` },
    );
    expect(status).toBe(200);
    const headers = { authorization: `Bearer ${text(body, 'access_token')}` };
    const info = await salesforce.send('GET', '/salesforce/services/oauth2/userinfo', { headers });
    expect(info.body).toMatchObject({ preferred_username: 'integration.user@dealwright.example' });
  });

  it('checks a JWT bearer assertion and its signature', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await salesforce.configure({ jwt_public_key: publicKey.export({ type: 'spki', format: 'pem' }) });
    const bearer = (claims: Record<string, unknown>, tail = '') => {
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const exp = Math.floor(Date.now() / 1000) + 120;
      const sub = 'integration.user@dealwright.example';
      const payload = { iss: client.client_id, sub, aud: 'https://login.salesforce.com', exp, ...claims };
      const head = `${encode({ alg: 'RS256' })}.${encode(payload)}`;
      const signature = sign('RSA-SHA256', Buffer.from(head), privateKey).toString('base64url');
      const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
      return token({ grant_type, assertion: `${head}.${tail}${signature}` });
    };
    expect((await bearer({})).status).toBe(200);
    expect((await bearer({}, 'AAAA')).body).toMatchObject({ error: 'invalid_grant' });
    expect((await bearer({ aud: 'x' })).body).toMatchObject({
      error_description: 'Audience validation failed',
    });
    expect((await bearer({ sub: 'nobody' })).body).toMatchObject({
      error_description: "user hasn't approved this consumer",
    });
    expect((await bearer({ exp: 1 })).body).toMatchObject({ error: 'invalid_grant' });
  });

  it('fails in its own shape when a fault asks for a status', async () => {
    await salesforce.fault({ kind: 'status', status: 400, match: { path: '/oauth2/token' } });
    expect(await refresh()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('revokes a refresh token', async () => {
    const revoked = await salesforce.send('POST', '/salesforce/services/oauth2/revoke', {
      body: 'token=demo-salesforce-refresh',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(revoked.status).toBe(200);
    expect((await refresh()).status).toBe(400);
  });

  it('expires a session by age', async () => {
    await salesforce.configure({ token_ttl_s: 0.05 });
    const { body } = await refresh();
    const headers = { authorization: `Bearer ${text(body, 'access_token')}` };
    await expect
      .poll(async () => (await salesforce.api('GET', '/limits', undefined, headers)).status, {
        timeout: 2_000,
      })
      .toBe(401);
  });
});
