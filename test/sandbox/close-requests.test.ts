import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CloseUnderTest, START_MS, startClose } from './close-client.ts';

let close: CloseUnderTest;
beforeAll(async () => {
  close = await startClose();
});
afterAll(() => close.close());
beforeEach(async () => {
  close.clock.nowMs = START_MS;
  await close.control('POST', '/reset', {});
});

describe('reading, changing and deleting in Close', () => {
  it('gets one opportunity, trimmed by _fields', async () => {
    const { id } = await close.create({ note: 'x', 'custom.cf_Reference': 'r', 'custom.cf_Seats': 2 });
    const full = await close.call('GET', `/opportunity/${id}/`);
    expect(full.body).toMatchObject({ id, note: 'x' });
    const some = await close.call('GET', `/opportunity/${id}/?_fields=id,note,custom.cf_Reference`);
    expect(some.body).toEqual({ id, note: 'x', 'custom.cf_Reference': 'r' });
    const custom = await close.call('GET', `/opportunity/${id}/?_fields=custom`);
    expect(custom.body).toEqual({ 'custom.cf_Reference': 'r', 'custom.cf_Seats': 2 });
  });

  it('treats PUT as a patch', async () => {
    const created = await close.create({ note: 'x', value: 100, 'custom.cf_Products': ['Basic'] });
    close.clock.nowMs += 1000;
    const reply = await close.call('PUT', `/opportunity/${created.id}/`, { body: { value: 200 } });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ note: 'x', value: 200, date_created: created.date_created });
    expect(reply.body.date_updated).not.toBe(created.date_updated);
  });

  it('adds to, removes from and unsets custom fields on PUT', async () => {
    const { id } = await close.create({ 'custom.cf_Products': ['Basic'], 'custom.cf_Seats': 1 });
    const put = (body: object) => close.call('PUT', `/opportunity/${id}/`, { body });
    expect((await put({ 'custom.cf_Products.add': 'Plus' })).body['custom.cf_Products']).toEqual([
      'Basic',
      'Plus',
    ]);
    expect((await put({ 'custom.cf_Products.remove': 'Basic' })).body['custom.cf_Products']).toEqual([
      'Plus',
    ]);
    expect((await put({ 'custom.cf_Products': ['Support'] })).body['custom.cf_Products']).toEqual([
      'Support',
    ]);
    expect((await put({ 'custom.cf_Seats': null })).body).not.toHaveProperty('custom.cf_Seats');
  });

  it('sets date_won on winning and keeps it on leaving won', async () => {
    const { id } = await close.create();
    const put = (body: object) => close.call('PUT', `/opportunity/${id}/`, { body });
    expect((await put({ status_id: 'stat_SalesWon' })).body.date_won).toBe('2026-03-01');
    expect((await put({ status_id: 'stat_SalesProposal' })).body.date_won).toBe('2026-03-01');
    expect((await put({ date_won: null })).body.date_won).toBeNull();
  });

  it('does not move an opportunity to another lead', async () => {
    const { id } = await close.create();
    const reply = await close.call('PUT', `/opportunity/${id}/`, { body: { lead_id: 'lead_Contoso' } });
    expect(reply.body['field-errors']).toEqual({ lead: 'Value cannot be changed.' });
  });

  it('deletes with 200 and {}, and still reads the record until the index has caught up', async () => {
    const { id } = await close.create();
    close.clock.nowMs += 30_000;
    const reply = await close.call('DELETE', `/opportunity/${id}/`);
    expect([reply.status, reply.body]).toEqual([200, {}]);
    expect((await close.call('GET', `/opportunity/${id}/`)).status).toBe(200);
    expect((await close.call('DELETE', `/opportunity/${id}/`)).status).toBe(404);
    close.clock.nowMs += 30_000;
    expect((await close.call('GET', `/opportunity/${id}/`)).status).toBe(404);
  });
});

describe('what Close refuses', () => {
  it.each([
    '',
    'Basic bm9wZTo=',
    `Basic ${btoa('demo-close-key')}`,
    `Basic ${btoa('demo-close-key:x')}`,
    'Bearer x',
  ])('answers 401 to the authorization "%s"', async (authorization) => {
    const reply = await close.call('GET', '/me/', { authorization });
    expect([reply.status, reply.body]).toEqual([401, { error: 'Unauthorized' }]);
  });

  it('answers an unknown id with 404 and "Empty query"', async () => {
    const reply = await close.call('GET', '/opportunity/oppo_Nothing/');
    expect([reply.status, reply.body]).toEqual([
      404,
      { error: 'Empty query: Opportunity matching query does not exist.' },
    ]);
  });

  it.each(['/opportunity', '/nothing/', '/custom_fields/opportunity/', '/opportunities/', '/Opportunity/'])(
    'answers the URL %s with 404 and another text',
    async (path) => {
      const reply = await close.call('POST', path, { body: { lead_id: 'lead_Northwind' } });
      expect(reply.status).toBe(404);
      expect(reply.body.error).not.toMatch(/^Empty query/);
      expect((await close.control('GET', '/records?provider=close')).body.count).toBe(0);
    },
  );

  it('answers a wrong method with 405', async () => {
    expect((await close.call('PATCH', '/opportunity/oppo_X/', { body: {} })).status).toBe(405);
  });

  it.each([
    ['unparsable JSON', { text: '{"lead_id":' }],
    ['NaN', { text: '{"value": NaN}' }],
    ['a list', { text: '[]' }],
    ['a string', { text: '"x"' }],
    ['a form', { form: { lead_id: 'lead_Northwind' } }],
    ['text', { text: '{}', headers: { 'content-type': 'text/plain' } }],
  ])('answers 400 with {error} to %s', async (_what, options) => {
    const reply = await close.call('POST', '/opportunity/', options);
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({ error: expect.any(String) });
  });

  it('refuses a chunked body', async () => {
    const answer = await new Promise<{ status?: number; text: string }>((resolve, reject) => {
      const req = request(
        `${close.origin}/close/api/v1/opportunity/`,
        {
          method: 'POST',
          auth: 'demo-close-key:',
          headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        },
        (res) => {
          let text = '';
          res.on('data', (chunk) => {
            text += chunk;
          });
          res.on('end', () => resolve({ status: res.statusCode, text }));
        },
      );
      req.on('error', reject);
      req.end('{"lead_id":"lead_Northwind"}');
    });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/chunked/i);
  });

  it.each([
    [400, /json/],
    [401, /json/],
    [402, /json/],
    [403, /text\/plain/],
    [404, /json/],
    [500, /html/],
    [502, /html/],
    [503, /html/],
    [504, /html/],
  ])('answers a bare %i in its own way', async (status, type) => {
    await close.control('POST', '/faults', { provider: 'close', kind: 'status', status, times: 1 });
    const reply = await close.call('GET', '/me/');
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toMatch(type);
  });
});

describe('failures after and before the commit', () => {
  const count = async () =>
    (await close.control('GET', '/records?provider=close&count_only=true')).body.count;
  const fault = (body: object) => close.control('POST', '/faults', { provider: 'close', times: 1, ...body });
  // A connection of its own: a reset of the sandbox drops those that hung.
  const create = () =>
    close.call('POST', '/opportunity/', {
      body: { lead_id: 'lead_Northwind' },
      headers: { connection: 'close' },
    });

  it.each([502, 504])('commits, then answers %i', async (status) => {
    await fault({ kind: 'status', status, after_commit: true });
    expect((await create()).status).toBe(status);
    expect(await count()).toBe(1);
  });

  it('answers 503 without a commit', async () => {
    await fault({ kind: 'status', status: 503 });
    expect((await create()).status).toBe(503);
    expect(await count()).toBe(0);
  });

  it('resets before and after the commit', async () => {
    await fault({ kind: 'reset_before_commit' });
    await expect(create()).rejects.toThrow();
    expect(await count()).toBe(0);
    await fault({ kind: 'reset_after_commit' });
    await expect(create()).rejects.toThrow();
    expect(await count()).toBe(1);
  });

  it('commits and answers only after the delay', async () => {
    await fault({ kind: 'hang_after_commit', delay_ms: 50 });
    const reply = create();
    await expect.poll(count).toBe(1);
    expect((await reply).status).toBe(200);
  });

  it('answers an empty body with a JSON type when told to', async () => {
    await fault({ kind: 'status', status: 504, headers: { 'content-type': 'application/json' }, body: '' });
    const reply = await create();
    expect([reply.status, reply.text, reply.headers.get('content-type')]).toEqual([
      504,
      '',
      'application/json',
    ]);
  });
});
