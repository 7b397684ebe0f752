import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CloseUnderTest, type Json, START_MS, startClose } from './close-client.ts';

let close: CloseUnderTest;
beforeAll(async () => {
  close = await startClose();
});
afterAll(() => close.close());
beforeEach(async () => {
  close.clock.nowMs = START_MS;
  await close.control('POST', '/reset', {});
});

const get = async (path: string) => (await close.call('GET', path)).body;

describe('look-ups in Close', () => {
  it('tells who the key belongs to', async () => {
    expect(await get('/me/')).toMatchObject({
      id: 'user_Ann',
      email: 'ann@demo.example',
      organizations: [{ id: 'orga_Demo' }],
      memberships: [{ organization_id: 'orga_Demo' }],
    });
  });

  it('lists users, and knows them by id', async () => {
    const { data, has_more } = await get('/user/?_limit=2');
    expect(data.map((user: { id: string }) => user.id)).toEqual(['user_Ann', 'user_Bob']);
    expect(has_more).toBe(true);
    expect(await get('/user/user_Cleo/')).toMatchObject({ first_name: 'Cleo' });
    expect((await close.call('GET', '/user/user_X/')).body.error).toMatch(/^Empty query: User/);
  });

  it('shows the organisation with its currency and statuses', async () => {
    const body = await get('/organization/orga_Demo/');
    expect(body).toMatchObject({ id: 'orga_Demo', currency: 'EUR' });
    expect(body.opportunity_statuses).toHaveLength(8);
  });

  it('lists statuses, one label standing in two pipelines', async () => {
    const { data, has_more } = await get('/status/opportunity/');
    expect(has_more).toBe(false);
    expect(data[0]).toEqual({
      id: 'stat_SalesQualified',
      label: 'Qualified',
      type: 'active',
      organization_id: 'orga_Demo',
      pipeline_id: 'pipe_Sales',
    });
    const proposals = data.filter((status: { label: string }) => status.label === 'Proposal');
    expect(proposals.map((status: Json) => status.pipeline_id)).toEqual(['pipe_Sales', 'pipe_Renewals']);
    expect(new Set(data.map((status: { type: string }) => status.type))).toEqual(
      new Set(['active', 'won', 'lost']),
    );
  });

  it('lists pipelines with their statuses and timestamps without a zone', async () => {
    const { data } = await get('/pipeline/');
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({
      id: 'pipe_Sales',
      name: 'Sales',
      date_created: '2025-01-06T08:00:00.000000',
    });
    expect(data[0].statuses[0]).toEqual({ id: 'stat_SalesQualified', label: 'Qualified', type: 'active' });
  });

  it('shows leads with their contacts, and contacts', async () => {
    expect(await get('/lead/lead_Northwind/')).toMatchObject({
      display_name: 'Northwind',
      contacts: [{ id: 'cont_NorthwindNora' }, { id: 'cont_NorthwindNils' }],
    });
    expect(await get('/lead/lead_Account1000/')).toMatchObject({ display_name: 'Account 1000' });
    expect(await get('/contact/cont_NorthwindNora/')).toMatchObject({ lead_id: 'lead_Northwind' });
  });

  it('lists custom fields; shared ones only in the schema', async () => {
    const own = await get('/custom_field/opportunity/');
    expect(own).not.toHaveProperty('has_more');
    const ids = own.data.map((field: { id: string }) => field.id);
    expect(ids).toContain('cf_Reference');
    expect(ids).not.toContain('cf_Region');
    const schema = await get('/custom_field_schema/opportunity/');
    expect(schema.fields.find((field: { id: string }) => field.id === 'cf_Region')).toMatchObject({
      type: 'text',
      is_shared: true,
    });
    expect(own.data.find((field: { id: string }) => field.id === 'cf_Products')).toMatchObject({
      accepts_multiple_values: true,
      choices: ['Basic', 'Plus', 'Support'],
    });
  });

  it('makes a custom field that can be written at once', async () => {
    const create = (body: object) => close.call('POST', '/custom_field/opportunity/', { body });
    const { status, body } = await create({ name: 'Dealwright key', type: 'text' });
    expect([status, body.type]).toEqual([200, 'text']);
    expect(await close.create({ [`custom.${body.id}`]: 'k' })).toMatchObject({ [`custom.${body.id}`]: 'k' });
    expect(await get(`/custom_field/opportunity/${body.id}/`)).toEqual(body);
    expect((await create({ name: 'Dealwright key', type: 'text' })).body['field-errors']).toHaveProperty(
      'name',
    );
    expect((await create({ type: 'blob' })).body['field-errors']).toEqual({
      name: 'This field is required.',
      type: 'Not a valid choice.',
    });
  });
});

describe('OAuth in Close', () => {
  const token = (form: Record<string, string>) =>
    close.call('POST', '/oauth2/token/', {
      authorization: '',
      form: {
        client_id: 'demo-close-client',
        client_secret: 'demo-close-secret',
        grant_type: 'refresh_token',
        ...form,
      },
    });

  it('rotates: each refresh token works once', async () => {
    const first = await token({ refresh_token: 'demo-close-refresh' });
    expect(first.body).toEqual({
      token_type: 'Bearer',
      access_token: expect.any(String),
      expires_in: 3600,
      refresh_token: expect.any(String),
      scope: 'all.full_access offline_access',
      organization_id: 'orga_Demo',
      user_id: 'user_Ann',
    });
    const again = await token({ refresh_token: 'demo-close-refresh' });
    expect([again.status, again.body]).toEqual([400, { error: 'invalid_grant' }]);
    const second = await token({ refresh_token: first.body.refresh_token });
    expect(second.status).toBe(200);
    expect((await token({ refresh_token: first.body.refresh_token })).status).toBe(400);
  });

  it('gives an access token that lives an hour or until it is expired by hand', async () => {
    const { access_token, refresh_token } = (await token({ refresh_token: 'demo-close-refresh' })).body;
    const me = (value: string) => close.call('GET', '/me/', { authorization: `Bearer ${value}` });
    expect((await me(access_token)).status).toBe(200);
    close.clock.nowMs += 3_600_000;
    expect((await me(access_token)).status).toBe(401);
    const renewed = (await token({ refresh_token })).body.access_token;
    await close.control('POST', '/faults', { provider: 'close', kind: 'expire_token', times: 1 });
    expect((await me(renewed)).status).toBe(401);
    expect((await close.call('GET', '/me/')).status).toBe(200);
  });

  it('refuses JSON, a wrong client and a path without the slash', async () => {
    const json = await close.call('POST', '/oauth2/token/', {
      authorization: '',
      body: { grant_type: 'refresh_token' },
    });
    expect(json.status).toBe(400);
    expect((await token({ client_secret: 'x', refresh_token: 'demo-close-refresh' })).body).toEqual({
      error: 'invalid_client',
    });
    expect((await close.call('POST', '/oauth2/token', { form: {} })).status).toBe(404);
    expect((await token({ refresh_token: 'demo-close-refresh' })).status).toBe(200);
  });

  it('revokes', async () => {
    const { access_token } = (await token({ refresh_token: 'demo-close-refresh-2' })).body;
    await close.call('POST', '/oauth2/revoke/', { authorization: '', form: { token: access_token } });
    expect((await close.call('GET', '/me/', { authorization: `Bearer ${access_token}` })).status).toBe(401);
  });
});

describe('rate limits of Close', () => {
  const limited = async (options: Record<string, unknown>) => {
    await close.configure({ requests: 1, perMs: 10_000, ...options });
    const first = await close.call('GET', '/me/');
    close.clock.nowMs += 7_500;
    const second = await close.call('GET', '/me/');
    expect([first.status, second.status]).toEqual([200, 429]);
    return { first, second };
  };

  it('writes RateLimit with semicolons, with the gateway’s own set beside it', async () => {
    const { first, second } = await limited({});
    expect(first.headers.get('ratelimit')).toBe('limit=1; remaining=0; reset=10');
    expect(first.headers.get('x-ratelimit-limit')).toBe('60, 60;w=1, 100;w=1');
    expect(second.headers.get('ratelimit')).toBe('limit=1; remaining=0; reset=2.5');
    expect(second.headers.get('retry-after')).toBe('3');
    expect(second.text).toBe('');
  });

  it('writes it with commas when told to', async () => {
    const { second } = await limited({ ratelimit_header: 'comma' });
    expect(second.headers.get('ratelimit')).toBe('limit=1, remaining=0, reset=2.5');
  });

  it('leaves all headers out when told to', async () => {
    const { first, second } = await limited({ ratelimit_header: 'absent' });
    const names = [...first.headers.keys(), ...second.headers.keys()];
    expect(names.filter((name) => /rate|retry/.test(name))).toEqual([]);
  });

  it('gives Retry-After only when told to', async () => {
    const { second } = await limited({ ratelimit_header: 'retry_after_only' });
    expect(second.headers.get('ratelimit')).toBeNull();
    expect(second.headers.get('retry-after')).toBe('3');
  });

  it('uses the old names when told to', async () => {
    const { second } = await limited({ ratelimit_header: 'old' });
    expect(second.headers.get('x-rate-limit-reset')).toBe('2.5');
    expect(second.headers.get('x-rate-limit-remaining')).toBe('0');
    expect(second.headers.get('retry-after')).toBeNull();
  });

  it('has the two old bodies, with a group number larger than a double holds', async () => {
    const { second } = await limited({ limit_body: 'object' });
    expect(second.body.error).toMatchObject({ rate_limit: 1, rate_window: 15, rate_reset: 2.5 });
    expect(second.text).toContain('"rate_endpoint_group":13567893571258756001');
    await close.control('POST', '/reset', {});
    const flat = (await limited({ limit_body: 'flat' })).second;
    expect(flat.body).toMatchObject({ rate_limit: 1, rate_limit_type: 'api_key' });
  });

  it('hits hidden limits with remaining above 0', async () => {
    await close.configure({ concurrency: 1, latency_ms: 100 });
    const replies = await Promise.all([close.call('GET', '/me/'), close.call('GET', '/me/')]);
    const refused = replies.find((reply) => reply.status === 429);
    expect(refused?.headers.get('ratelimit')).toMatch(/remaining=[1-9]/);
    expect(refused?.headers.get('retry-after')).toBe('1');
  });

  it('waits as long as a fault says', async () => {
    await close.control('POST', '/faults', {
      provider: 'close',
      kind: 'rate_limit',
      retry_after_s: 7,
      times: 1,
    });
    const { headers } = await close.call('GET', '/me/');
    expect([headers.get('retry-after'), headers.get('ratelimit')]).toEqual([
      '7',
      'limit=240; remaining=0; reset=7',
    ]);
  });

  it('counts each key for itself', async () => {
    await close.configure({ requests: 1, perMs: 10_000 });
    await close.call('GET', '/me/');
    expect((await close.call('GET', '/me/', { key: 'demo-close-key-other' })).status).toBe(200);
  });

  it('refuses options it does not know', async () => {
    expect((await close.configure({ ratelimit_header: 'loud' })).status).toBe(400);
    expect((await close.configure({ lag: 5 })).status).toBe(400);
  });
});
