import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { aSystem, createClient, dumpRedis, type Send, type System } from './accounts-client.ts';

let system: System;
let send: Send;

beforeAll(async () => {
  system = await aSystem();
  send = system.send;
});
afterAll(() => system?.stop());

const bearer = (token: unknown) => ({ authorization: `Bearer ${token}` });

async function aToken(more: Record<string, unknown> = {}): Promise<{ id: string; token: string }> {
  const reply = await send('POST', '/api-tokens', { scopes: ['accounts:read'], ...more });
  expect(reply.status).toBe(201);
  return { id: String(reply.body.id), token: String(reply.body.token) };
}

describe('API tokens', () => {
  it('are shown once and stored as a hash only', async () => {
    const made = await send('POST', '/api-tokens', {
      name: 'import job',
      workspace: 'acme',
      scopes: ['opportunities:write', 'jobs:read'],
    });
    const { token, ...shown } = made.body;
    expect(token).toMatch(/^dwt_[\w-]{43}$/);
    expect(shown).toMatchObject({
      object: 'api_token',
      name: 'import job',
      workspace: 'acme',
      scopes: ['opportunities:write', 'jobs:read'],
      last_four: String(token).slice(-4),
      expires_at: null,
      rate_limit: null,
    });
    const list = await send('GET', '/api-tokens?workspace=acme');
    expect(list.body.data).toEqual([shown]);
    const everything = [...(await dumpRedis(system.prefix))].flat().join('\n');
    for (const text of [list.text, everything, system.api.logs()]) expect(text).not.toContain(token);
  });

  it('name what is wrong', async () => {
    const reply = await send('POST', '/api-tokens', { scopes: ['jobs:fly'], expires_at: 'soon' });
    expect(reply.status).toBe(400);
    expect(reply.text).toContain('/scopes/0');
    expect(reply.text).toContain('/expires_at');
    const past = await send('POST', '/api-tokens', { scopes: ['admin'], expires_at: '2020-01-01T00:00:00Z' });
    expect([past.status, past.body.code]).toEqual([400, 'invalid_body']);
  });
});

describe('authentication', () => {
  it.each([
    ['without a header', {}, 'missing'],
    ['with another scheme', { authorization: 'Basic abc' }, 'not of the form'],
    ['with an unknown token', { authorization: 'Bearer dwt_unknown' }, 'unknown'],
  ])('is 401 %s', async (_how, headers, word) => {
    const response = await fetch(`${system.api.origin}/integrated-accounts`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer realm=');
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ statusCode: 401, code: 'unauthorized' });
    expect(body.message).toContain(word);
  });

  it('names the scope that is missing', async () => {
    const { token } = await aToken();
    expect((await send('GET', '/integrated-accounts', undefined, bearer(token))).status).toBe(200);
    const refused = await send('GET', '/jobs', undefined, bearer(token));
    expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope']);
    expect(refused.body.message).toContain('jobs:read');
    expect((await send('POST', '/api-tokens', { scopes: ['admin'] }, bearer(token))).status).toBe(403);
  });

  it('keeps a token within its workspace', async () => {
    const credentials = { type: 'api_key', api_key: 'x' };
    const account = { provider: 'capsule', credentials: { type: 'personal_access_token', token: 'x' } };
    await send('POST', '/integrated-accounts', account, { 'x-workspace': 'red' });
    const { token } = await aToken({ workspace: 'blue' });
    const seen = await send('GET', '/integrated-accounts', undefined, bearer(token));
    expect(seen.body.data).toEqual([]);
    const wandering = { ...bearer(token), 'x-workspace': 'red' };
    expect((await send('GET', '/integrated-accounts', undefined, wandering)).status).toBe(403);
    const read = await send(
      'POST',
      '/integrated-accounts',
      { provider: 'close', credentials },
      bearer(token),
    );
    expect(read.status).toBe(403);
    const bad = await send('GET', '/integrated-accounts', undefined, { 'x-workspace': '../x' });
    expect([bad.status, bad.body.code]).toEqual([400, 'invalid_header']);
  });

  it('lets a token with the scope admin manage its own workspace only', async () => {
    const { token } = await aToken({ workspace: 'green', scopes: ['admin'] });
    const own = await send('POST', '/api-tokens', { scopes: ['jobs:read'] }, bearer(token));
    expect([own.status, own.body.workspace]).toEqual([201, 'green']);
    const other = { workspace: 'red', scopes: ['admin'] };
    expect((await send('POST', '/api-tokens', other, bearer(token))).status).toBe(403);
    const foreign = await aToken({ workspace: 'red' });
    expect((await send('DELETE', `/api-tokens/${foreign.id}`, undefined, bearer(token))).status).toBe(404);
    const { data } = (await send('GET', '/api-tokens', undefined, bearer(token))).body;
    expect(new Set((data as { workspace: string }[]).map(({ workspace }) => workspace))).toEqual(
      new Set(['green']),
    );
  });

  it('says so when a token has expired', async () => {
    const expires_at = new Date(Date.now() + 700).toISOString();
    const { token } = await aToken({ expires_at });
    const get = () => send('GET', '/integrated-accounts', undefined, bearer(token));
    expect((await get()).status).toBe(200);
    const refused = await until('it expired', async () => {
      const reply = await get();
      return reply.status === 401 ? reply : undefined;
    });
    expect(refused.body.message).toBe(`The token expired at ${expires_at}.`);
  });

  it('ends a deleted token in every process within two seconds', async () => {
    await using other = await startApi(system.installation);
    const elsewhere = createClient(other.origin);
    const { id, token } = await aToken();
    const statusAt = async (via: Send) =>
      (await via('GET', '/integrated-accounts', undefined, bearer(token))).status;
    expect([await statusAt(send), await statusAt(elsewhere)]).toEqual([200, 200]);
    expect((await send('DELETE', `/api-tokens/${id}`)).status).toBe(204);
    await until('both refuse it', async () => (await statusAt(send)) + (await statusAt(elsewhere)) === 802, {
      withinMs: 2_000,
    });
    expect((await send('DELETE', `/api-tokens/${id}`)).status).toBe(404);
  });

  it('limits a token that has a limit', async () => {
    const { token } = await aToken({ rate_limit: { requests: 3, per_seconds: 30 } });
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => send('GET', '/integrated-accounts', undefined, bearer(token))),
    );
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(5);
    expect(refused[0]?.body.code).toBe('token_rate_limited');
    const after = Number(refused[0]?.headers.get('retry-after'));
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThanOrEqual(30);
    expect(refused[0]?.headers.get('ratelimit-limit')).toBe('3;w=30');
    const left = replies.map(({ headers }) => Number(headers.get('ratelimit-remaining')));
    expect(left.toSorted()).toEqual([0, 0, 0, 0, 0, 0, 1, 2]);
    for (const { headers } of replies) expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(0);
  });
});

describe('without a worker', () => {
  it('answers 504 to a marker and to check, and keeps nothing', async () => {
    const origin = 'http://127.0.0.1:1/close';
    const body = {
      id: '6f0c7f5e-6a43-4a5e-9f5c-0b6c0c7b9a11',
      provider: 'close',
      credentials: { type: 'api_key', api_key: 'x', base_url: origin },
      settings: { marker: { kind: 'custom_field', field: 'cf_Reference' } },
    };
    const path = `/integrated-accounts/${body.id}`;
    const connected = await send('POST', '/integrated-accounts', body);
    expect([connected.status, connected.body.code]).toEqual([504, 'query_timed_out']);
    expect((await send('GET', path)).status).toBe(404);

    expect((await send('POST', '/integrated-accounts', { ...body, settings: {} })).status).toBe(201);
    const [changed, checked] = await Promise.all([
      send('PATCH', path, { settings: body.settings }),
      send('POST', `${path}/check`),
    ]);
    expect([changed.status, checked.status]).toEqual([504, 504]);
    expect((await send('GET', path)).body.settings).toEqual({});
  }, 40_000);
});
