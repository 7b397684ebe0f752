import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CapsuleUnderTest, MINIMUM, START_MS, startCapsule } from './capsule-client.ts';

let capsule: CapsuleUnderTest;
beforeAll(async () => {
  capsule = await startCapsule();
});
afterAll(() => capsule.close());
beforeEach(async () => {
  capsule.clock.nowMs = START_MS;
  await capsule.control('POST', '/reset', {});
});

const get = async (path: string) => (await capsule.call('GET', path)).body;
const put = (id: number, fields: object, query = '') =>
  capsule.call('PUT', `/opportunities/${id}${query}`, { body: { opportunity: fields } });

describe('changing and deleting in Capsule', () => {
  it('treats PUT as a patch', async () => {
    const { id } = await capsule.create({ description: 'x', value: { amount: 5, currency: 'EUR' } });
    capsule.clock.nowMs += 5000;
    const { status, body } = await put(id, { name: 'Other' });
    expect(status).toBe(200);
    expect(body.opportunity).toMatchObject({
      name: 'Other',
      description: 'x',
      value: { amount: 5 },
      createdAt: '2026-03-01T09:30:00Z',
      updatedAt: '2026-03-01T09:30:05Z',
      lastStageChangedAt: '2026-03-01T09:30:00Z',
    });
  });

  it('clears the team when only the owner is named', async () => {
    const { id } = await capsule.create({ owner: { id: 62 }, team: { id: 701 } });
    expect((await put(id, { name: 'x' })).body.opportunity.team).toMatchObject({ id: 701 });
    expect((await put(id, { owner: { id: 61 } })).body.opportunity).toMatchObject({
      owner: { id: 61 },
      team: null,
    });
    const both = (await put(id, { owner: { id: 61 }, team: { id: 701 } })).body.opportunity;
    expect(both).toMatchObject({ owner: { id: 61 }, team: { id: 701 } });
  });

  it('moves a deal to another pipeline without a word', async () => {
    const { id } = await capsule.create();
    capsule.clock.nowMs += 1000;
    expect((await put(id, { milestone: { id: 23 } }, '?embed=milestone')).body.opportunity).toMatchObject({
      milestone: { pipeline: { id: 32 } },
      probability: 60,
      lastStageChangedAt: '2026-03-01T09:30:01Z',
    });
    expect((await put(id, { milestone: { id: 15 } })).body.opportunity).toMatchObject({
      closedOn: '2026-03-01',
      lastOpenMilestone: { id: 23 },
    });
  });

  it('changes, clears and deletes field rows and tags', async () => {
    const created = await capsule.create({
      tags: [{ id: 801 }],
      fields: [
        { definition: 901, value: 'a' },
        { definition: 906, value: true },
      ],
    });
    const rows = created.fields;
    const changed = await put(
      created.id,
      {
        tags: [{ id: 801, _delete: true }, { name: 'Partner' }],
        fields: [
          { id: rows[0].id, value: 'b' },
          { definition: 906, value: false },
        ],
      },
      '?embed=tags,fields',
    );
    expect(changed.body.opportunity).toMatchObject({
      tags: [{ name: 'Partner' }],
      fields: [{ id: rows[0].id, value: 'b' }],
    });
    const cleared = await put(created.id, { fields: [{ id: rows[0].id, _delete: true }] }, '?embed=fields');
    expect(cleared.body.opportunity.fields).toEqual([]);
    expect((await put(created.id, { tags: [{ id: 801, _delete: true }] })).body.errors).toMatchObject([
      { message: 'tag not found to delete' },
    ]);
  });

  it.each([
    [{ party: null }, 'party is required'],
    [{ milestone: null }, 'milestone is required'],
    [{ name: null }, 'name is required'],
    [{ owner: null }, 'owner or team is required'],
    [{ owner: { id: 63 }, team: { id: 701 } }, 'owner is not a member of the team'],
  ])('refuses %j', async (fields, message) => {
    const { id } = await capsule.create();
    expect((await put(id, fields)).body.errors).toMatchObject([{ message }]);
  });

  it('deletes with 204 and lists what was deleted', async () => {
    const { id } = await capsule.create();
    capsule.clock.nowMs += 2000;
    const reply = await capsule.call('DELETE', `/opportunities/${id}`);
    expect([reply.status, reply.text]).toEqual([204, '']);
    expect((await capsule.call('DELETE', `/opportunities/${id}`)).body).toEqual({
      message: 'opportunity not found',
    });
    expect(await get('/opportunities/deleted?since=2026-03-01T09:30:01Z')).toEqual({
      opportunities: [{ id, deletedAt: '2026-03-01T09:30:02Z' }],
    });
    expect(await get('/opportunities/deleted?since=2026-03-02T00:00:00Z')).toEqual({ opportunities: [] });
    expect((await get('/opportunities/deleted')).errors).toMatchObject([{ message: 'since is required' }]);
    expect(await get('/parties/4711/opportunities')).toEqual({ opportunities: [] });
  });
});

describe('further parties', () => {
  const add = (id: number, partyId: number) =>
    capsule.call('POST', `/opportunities/${id}/parties/${partyId}`);

  it('are added with 204 and nothing to parse', async () => {
    const { id } = await capsule.create();
    const reply = await add(id, 4712);
    expect([reply.status, reply.text, reply.headers.get('content-type')]).toEqual([204, '', null]);
    const { parties } = await get(`/opportunities/${id}/parties`);
    expect(parties).toMatchObject([{ id: 4712, type: 'person' }]);
    expect((await get('/parties/4712/opportunities')).opportunities).toMatchObject([{ id }]);
  });

  it('say in two ways that a party is there already', async () => {
    const { id } = await capsule.create();
    await add(id, 4712);
    const again = await add(id, 4712);
    expect([again.status, again.body.errors[0].message]).toEqual([
      422,
      'party is already a contact for this opportunity',
    ]);
    const main = await add(id, 4711);
    expect([main.status, main.body.errors[0].message]).toEqual([
      422,
      'party is already related to this opportunity',
    ]);
  });

  it('are removed with 204', async () => {
    const { id } = await capsule.create();
    await add(id, 4712);
    const remove = () => capsule.call('DELETE', `/opportunities/${id}/parties/4712`);
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
    expect(await get('/parties/4712/opportunities')).toEqual({ opportunities: [] });
  });

  it('have to exist, as has the opportunity', async () => {
    const { id } = await capsule.create();
    expect((await add(id, 1)).body).toEqual({ message: 'party not found' });
    expect((await add(1, 4712)).body).toEqual({ message: 'opportunity not found' });
  });
});

describe('tokens of Capsule', () => {
  it.each(['', 'Bearer nonsense', 'Basic ZGVtby1jYXBzdWxlLXRva2VuOg=='])(
    'answers 401 with WWW-Authenticate to "%s"',
    async (authorization) => {
      const reply = await capsule.call('GET', '/users/current', { authorization });
      expect(reply.status).toBe(401);
      expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer .*invalid_token/);
      expect(reply.body).toEqual({ message: expect.any(String) });
    },
  );

  it('answers 403 to writes of a read-only token, and only to writes', async () => {
    const { id } = await capsule.create();
    const token = 'demo-capsule-readonly';
    for (const [method, path] of [
      ['POST', '/opportunities'],
      ['PUT', `/opportunities/${id}`],
      ['DELETE', `/opportunities/${id}`],
      ['POST', `/opportunities/${id}/parties/4712`],
    ] as const) {
      const body = method === 'DELETE' ? undefined : { opportunity: MINIMUM };
      const reply = await capsule.call(method, path, { token, body });
      expect([reply.status, reply.body]).toEqual([403, { message: 'Requires additional scope' }]);
      expect(reply.headers.get('www-authenticate')).toMatch(/insufficient_scope/);
    }
    expect((await capsule.call('GET', `/opportunities/${id}`, { token })).status).toBe(200);
    const filter = { filter: { conditions: [] } };
    expect(
      (await capsule.call('POST', '/opportunities/filters/results', { token, body: filter })).status,
    ).toBe(200);
  });

  const token = (body: Record<string, string>, authorization = '') =>
    capsule.call('POST', '/oauth/token', {
      authorization,
      body: {
        ...(authorization === '' && {
          client_id: 'demo-capsule-client',
          client_secret: 'demo-capsule-secret',
        }),
        grant_type: 'refresh_token',
        ...body,
      },
    });

  it('refreshes by JSON, by form and with the client as Basic', async () => {
    const first = await token({ refresh_token: 'demo-capsule-refresh' });
    expect(first.body).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 604799,
      scope: 'read write',
      subdomain: 'demo',
    });
    const basic = `Basic ${btoa('demo-capsule-client:demo-capsule-secret')}`;
    const second = await token({ refresh_token: first.body.refresh_token }, basic);
    expect(second.status).toBe(200);
    const form = await capsule.call('POST', '/oauth/token', {
      authorization: basic,
      form: { grant_type: 'refresh_token', refresh_token: second.body.refresh_token },
    });
    expect(form.status).toBe(200);
    expect((await token({ refresh_token: 'demo-capsule-refresh' })).body).toEqual({ error: 'invalid_grant' });
    expect((await token({ refresh_token: 'x', client_secret: 'y' })).body).toEqual({
      error: 'invalid_client',
    });
  });

  it('keeps the refresh token when told to', async () => {
    await capsule.configure({ refresh: 'keep' });
    const refresh_token = 'demo-capsule-refresh';
    expect((await token({ refresh_token })).body.refresh_token).toBe(refresh_token);
    expect((await token({ refresh_token })).status).toBe(200);
  });

  it('expires access tokens after a week, and by hand', async () => {
    const granted = (await token({ refresh_token: 'demo-capsule-refresh' })).body;
    const me = (value: string) => capsule.call('GET', '/users/current', { token: value });
    expect((await me(granted.access_token)).body.user).toMatchObject({ id: 61 });
    capsule.clock.nowMs += 604_799_000;
    expect((await me(granted.access_token)).status).toBe(401);
    const renewed = (await token({ refresh_token: granted.refresh_token })).body;
    await capsule.control('POST', '/faults', { provider: 'capsule', kind: 'expire_token', times: 1 });
    expect((await me(renewed.access_token)).status).toBe(401);
    expect((await me('demo-capsule-token')).status).toBe(200);
  });

  it.each(['/oauth/revoke', '/oauth/token/revoke'])('revokes at %s', async (path) => {
    const { access_token } = (await token({ refresh_token: 'demo-capsule-refresh-2' })).body;
    await capsule.call('POST', path, { authorization: '', form: { token: access_token } });
    expect((await capsule.call('GET', '/users/current', { token: access_token })).status).toBe(401);
  });
});

describe('paths and limits of Capsule', () => {
  it.each(['/opportunitys', '/opportunities/', '/users/me', '/nothing'])('does not know %s', async (path) => {
    const reply = await capsule.call('GET', path);
    expect([reply.status, reply.body]).toEqual([404, { message: 'Could not find resource' }]);
  });

  it('answers a wrong method with 405', async () => {
    const reply = await capsule.call('DELETE', '/opportunities');
    expect([reply.status, reply.body]).toEqual([405, { message: 'Method not allowed' }]);
  });

  it('tells the limit on every success, the reset as seconds since 1970', async () => {
    for (const path of ['/users/current', '/opportunities']) {
      const { headers } = await capsule.call('GET', path);
      expect(headers.get('x-ratelimit-limit')).toBe('4000');
      expect(headers.get('x-ratelimit-remaining')).toBe('3999');
      expect(headers.get('x-ratelimit-reset')).toBe(String(Math.ceil((START_MS + 3_600_000) / 1000)));
    }
  });

  it('answers 429 with error, an epoch reset and no Retry-After', async () => {
    await capsule.configure({ requests: 2, perMs: 10_000 });
    const first = await capsule.call('GET', '/users/current');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    await capsule.call('GET', '/users/current');
    const reply = await capsule.call('POST', '/opportunities', { body: { opportunity: MINIMUM } });
    expect([reply.status, reply.body]).toEqual([429, { error: 'rate limit reached' }]);
    expect(reply.headers.get('x-ratelimit-limit')).toBe('2');
    expect(reply.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(reply.headers.get('x-ratelimit-reset')).toBe(String(Math.ceil((START_MS + 10_000) / 1000)));
    expect(reply.headers.get('retry-after')).toBeNull();
    expect((await capsule.control('GET', '/records?provider=capsule')).body.count).toBe(0);
  });

  it('answers 5xx in HTML', async () => {
    await capsule.control('POST', '/faults', { provider: 'capsule', kind: 'status', status: 502, times: 1 });
    const reply = await capsule.call('GET', '/users/current');
    expect([reply.status, reply.headers.get('content-type')]).toEqual([502, 'text/html']);
  });

  it('commits before an error, a reset or a silence, or not at all', async () => {
    // A connection of its own: a reset of the sandbox drops those that hung.
    const create = () =>
      capsule.call('POST', '/opportunities', {
        body: { opportunity: MINIMUM },
        headers: { connection: 'close' },
      });
    const fault = (body: object) =>
      capsule.control('POST', '/faults', { provider: 'capsule', times: 1, ...body });
    const count = async () => (await capsule.control('GET', '/records?provider=capsule')).body.count;
    await fault({ kind: 'status', status: 504, after_commit: true });
    expect((await create()).status).toBe(504);
    expect(await count()).toBe(1);
    await fault({ kind: 'reset_before_commit' });
    await expect(create()).rejects.toThrow();
    expect(await count()).toBe(1);
    await fault({ kind: 'hang_after_commit', delay_ms: 30 });
    expect((await create()).status).toBe(201);
    expect(await count()).toBe(2);
  });

  it('refuses options it does not know', async () => {
    expect((await capsule.configure({ automation: 'yes' })).status).toBe(400);
    expect((await capsule.configure({ lag: 1 })).status).toBe(400);
  });
});
