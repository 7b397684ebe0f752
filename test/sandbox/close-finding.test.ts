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
const notes = async (query: string) =>
  (await get(`/opportunity/?${query}`)).data.map((record: { note: string }) => record.note);

describe('the list of opportunities', () => {
  it('is 30 seconds behind: for new, changed and deleted records', async () => {
    const { id } = await close.create({ note: 'new' });
    close.clock.nowMs += 29_999;
    expect(await notes('lead_id=lead_Northwind')).toEqual([]);
    expect((await close.call('GET', `/opportunity/${id}/`)).status).toBe(200);
    close.clock.nowMs += 1;
    expect(await notes('lead_id=lead_Northwind')).toEqual(['new']);

    await close.call('PUT', `/opportunity/${id}/`, { body: { note: 'changed' } });
    expect(await notes('lead_id=lead_Northwind')).toEqual(['new']);
    close.clock.nowMs += 30_000;
    expect(await notes('lead_id=lead_Northwind')).toEqual(['changed']);

    await close.call('DELETE', `/opportunity/${id}/`);
    expect(await notes('')).toEqual(['changed']);
    close.clock.nowMs += 30_000;
    expect(await notes('')).toEqual([]);
  });

  it('follows a changed lag at once, also for what was written before', async () => {
    await close.create({ note: 'a' });
    await close.configure({ list_lag_ms: 0 });
    expect(await notes('')).toEqual(['a']);
  });

  describe('without a lag', () => {
    beforeEach(() => close.configure({ list_lag_ms: 0 }));

    it('answers totals and has_more', async () => {
      await close.create({ value: 100, value_period: 'monthly' });
      await close.create({ value: 500, confidence: 100 });
      const body = await get('/opportunity/?_limit=1');
      expect(body).toMatchObject({
        has_more: true,
        total_results: 2,
        count_by_value_period: { one_time: 1, monthly: 1, annual: 0 },
        total_value_one_time: 500,
        total_value_monthly: 100,
        total_value_annualized: 1700,
        expected_value_annualized: 1100,
      });
      expect((await get('/opportunity/?_limit=1&_skip=1')).has_more).toBe(false);
    });

    it('filters by lead, user, status, period, and by lists of them', async () => {
      await close.create({ note: 'a' });
      await close.create({ note: 'b', lead_id: 'lead_Contoso', user_id: 'user_Bob' });
      await close.create({ note: 'c', status_id: 'stat_SalesWon', value_period: 'annual' });
      expect(await notes('lead_id=lead_Contoso')).toEqual(['b']);
      expect(await notes('user_id=user_Bob')).toEqual(['b']);
      expect(await notes('status_type=won')).toEqual(['c']);
      expect(await notes('status_id=stat_SalesWon')).toEqual(['c']);
      expect(await notes('status_label=Won')).toEqual(['c']);
      expect(await notes('value_period=annual')).toEqual(['c']);
      expect(await notes('status_type__in=won,lost')).toEqual(['c']);
      expect(await notes('lead_id__in=lead_Contoso,lead_Northwind&status_type=active')).toEqual(['b', 'a']);
      expect(await notes('lead_id=lead_Northwind&nonsense=1')).toHaveLength(2);
    });

    it('filters by date_created as written, not by when it was sent', async () => {
      await close.create({ note: 'backdated', date_created: '2020-01-01T00:00:00Z', date_won: '2026-06-01' });
      const since = '2026-03-01T00:00:00Z';
      expect(await notes(`date_created__gte=${since}`)).toEqual([]);
      expect(await notes(`date_updated__gte=${since}`)).toEqual(['backdated']);
      expect(await notes(`date_updated__lt=${since}`)).toEqual([]);
      expect(await notes('date_won__gte=2026-06-01')).toEqual(['backdated']);
      expect(await notes('date_won__gt=2026-06-01')).toEqual([]);
      expect(await notes('date_won=2026-06-01')).toEqual(['backdated']);
    });

    it('orders as told and trims fields', async () => {
      for (const value of [2, 3, 1]) {
        close.clock.nowMs += 1000;
        await close.create({ note: String(value), value });
      }
      expect(await notes('_order_by=value')).toEqual(['1', '2', '3']);
      expect(await notes('_order_by=-date_updated')).toEqual(['1', '3', '2']);
      expect(await notes('_order_by=date_created')).toEqual(['2', '3', '1']);
      const { data } = await get('/opportunity/?_order_by=-value&_fields=id,value&_limit=1');
      expect(data).toEqual([{ id: expect.any(String), value: 3 }]);
    });

    it.each([
      ['_limit=201', '_limit', 'Input should be less than or equal to 200'],
      ['_skip=35001', '_skip', 'Input should be less than or equal to 35000'],
      ['_limit=x', '_limit', 'Input should be a valid integer'],
      ['_order_by=mood', '_order_by', 'Not a valid choice.'],
      ['date_updated__gte=today', 'date_updated__gte', 'Invalid ISO 8601 datetime.'],
    ])('refuses %s', async (query, field, text) => {
      const reply = await close.call('GET', `/opportunity/?${query}`);
      expect(reply.status).toBe(400);
      expect(reply.body['field-errors']).toEqual({ [field]: text });
    });

    it('takes long filters as a POST that overrides its method', async () => {
      await close.create({ note: 'a' });
      await close.create({ note: 'b', lead_id: 'lead_Contoso' });
      const reply = await close.call('POST', '/opportunity/', {
        headers: { 'x-http-method-override': 'GET' },
        body: { _params: { lead_id__in: ['lead_Contoso'], _limit: 1 } },
      });
      expect(reply.body.data).toMatchObject([{ note: 'b' }]);
      expect((await close.control('GET', '/records?provider=close')).body.count).toBe(2);
    });

    it('finds whole words of a note by query', async () => {
      await close.create({ note: 'Renewal\n\nref dw-4f2a9c' });
      await close.create({ note: 'Renewal of 4f2a9cd' });
      expect(await notes('query=note:dw-4f2a9c')).toEqual(['Renewal\n\nref dw-4f2a9c']);
      expect(await notes('query=note:4f2a9')).toEqual([]);
      expect(await notes('query=renewal')).toHaveLength(2);
    });
  });

  it('has text search further behind than the list', async () => {
    await close.create({ note: 'token1' });
    close.clock.nowMs += 30_000;
    expect(await notes('')).toEqual(['token1']);
    expect(await notes('query=note:token1')).toEqual([]);
    close.clock.nowMs += 30_000;
    expect(await notes('query=note:token1')).toEqual(['token1']);
  });
});

describe('advanced filtering', () => {
  const marker = (value: string, mode = 'full_words') => ({
    type: 'and',
    queries: [
      { type: 'object_type', object_type: 'opportunity' },
      {
        type: 'field_condition',
        field: { type: 'custom_field', custom_field_id: 'cf_Reference' },
        condition: { type: 'text', mode, value },
      },
    ],
  });
  const search = (body: object) => close.call('POST', '/data/search/', { body });

  beforeEach(() => close.configure({ list_lag_ms: 0 }));

  it('finds a marker in a custom field and answers only asked-for fields', async () => {
    const { id } = await close.create({ 'custom.cf_Reference': 'job-1', note: 'x' });
    await close.create({ 'custom.cf_Reference': 'job-12' });
    expect((await search({ query: marker('job-1') })).body).toEqual({
      data: [{ __object_type: 'opportunity', id }],
      cursor: null,
    });
    const { body } = await search({ query: marker('job-1'), _fields: { opportunity: ['id', 'note'] } });
    expect(body.data).toEqual([{ __object_type: 'opportunity', id, note: 'x' }]);
    expect((await search({ query: marker('job', 'beginning_of_words') })).body.data).toHaveLength(2);
    expect((await search({ query: { ...marker('job-1'), negate: true } })).body.data).toHaveLength(1);
  });

  it('pages by a cursor that dies after 30 seconds', async () => {
    for (let number = 0; number < 3; number += 1) await close.create({ 'custom.cf_Reference': 'same' });
    const first = (await search({ query: marker('same'), _limit: 2 })).body;
    expect(first.data).toHaveLength(2);
    expect(first).not.toHaveProperty('has_more');
    const next = { query: marker('same'), _limit: 2, cursor: first.cursor };
    close.clock.nowMs += 30_000;
    expect((await search(next)).body).toMatchObject({ data: [{}], cursor: null });
    close.clock.nowMs += 1;
    const late = await search(next);
    expect(late.status).toBe(400);
    expect(late.body).toEqual({ 'field-errors': { cursor: expect.any(String) } });
  });

  it('refuses what is no query', async () => {
    expect((await search({ query: { type: 'magic' } })).body['field-errors']).toHaveProperty('query');
  });
});

describe('the event log', () => {
  const events = async (query: string, key?: string) =>
    (await close.call('GET', `/event/?${query}`, { key })).body;

  it('shows a create at once, with who, how and the full record', async () => {
    const { id } = await close.create({ note: 'x' });
    const { data } = await events('lead_id=lead_Northwind&object_type=opportunity&action=created');
    expect(data).toEqual([
      expect.objectContaining({
        object_id: id,
        object_type: 'opportunity',
        action: 'created',
        lead_id: 'lead_Northwind',
        user_id: 'user_Ann',
        api_key_id: 'api_Ann',
        request_id: expect.stringMatching(/^req_/),
        date_created: '2026-03-01T09:30:00.123000',
        meta: { request_method: 'POST', request_path: '/api/v1/opportunity/' },
        data: expect.objectContaining({ id, note: 'x' }),
      }),
    ]);
    expect((await events(`request_id=${data[0].request_id}`)).data).toHaveLength(1);
    expect((await close.call('GET', `/event/${data[0].id}/`)).body).toEqual(data[0]);
  });

  it('logs changes and deletes with what was before', async () => {
    const { id } = await close.create({ value: 100 });
    await close.call('PUT', `/opportunity/${id}/`, { body: { value: 200 } });
    await close.call('DELETE', `/opportunity/${id}/`);
    const { data } = await events('lead_id=lead_Northwind');
    expect(data.map((event: { action: string }) => event.action)).toEqual(['deleted', 'updated', 'created']);
    expect(data[1].changed_fields).toContain('value');
    expect(data[1].previous_data).toMatchObject({ value: 100 });
  });

  it('pages newest first by cursor, at most 50', async () => {
    for (let number = 0; number < 60; number += 1) await close.create({ note: String(number) });
    const query = 'lead_id=lead_Northwind&object_type=opportunity';
    const first = await events(`${query}&_limit=100`);
    expect(first.data).toHaveLength(50);
    expect(first.data[0].data.note).toBe('59');
    expect(first.cursor_previous).toBeNull();
    const second = await events(`${query}&_cursor=${first.cursor_next}`);
    expect(second.data.map((event: Json) => event.data.note)).toEqual(
      Array.from({ length: 10 }, (_, at) => String(9 - at)),
    );
    expect(second.cursor_next).toBeNull();
    const back = await events(`${query}&_cursor=${second.cursor_previous}`);
    expect(back.data).toEqual(first.data);
    expect(await events(`${query}&_cursor=nonsense`)).toEqual({
      'field-errors': { _cursor: expect.any(String) },
    });
  });

  it.each([
    'object_type=opportunity',
    'action=created',
    'request_id=r&lead_id=l',
    'lead_id=l&action=created',
  ])('refuses the combination %s', async (query) => {
    expect((await close.call('GET', `/event/?${query}`)).status).toBe(400);
  });

  it('filters by date_updated on top of any combination', async () => {
    await close.create();
    expect((await events('lead_id=lead_Northwind&date_updated__gte=2026-03-01')).data).toHaveLength(1);
    expect((await events('lead_id=lead_Northwind&date_updated__lt=2026-03-01')).data).toHaveLength(0);
  });

  it('hides the record from people who are not admins after an hour', async () => {
    await close.create();
    const [soon] = (await events('lead_id=lead_Northwind', 'demo-close-key-b')).data;
    expect(soon).toHaveProperty('data');
    close.clock.nowMs += 3_600_000;
    const [later] = (await events('lead_id=lead_Northwind', 'demo-close-key-b')).data;
    expect(later).not.toHaveProperty('data');
    expect((await events('lead_id=lead_Northwind')).data[0]).toHaveProperty('data');
  });

  it('goes back 30 days', async () => {
    await close.create();
    close.clock.nowMs += 31 * 86_400_000;
    expect((await events('lead_id=lead_Northwind')).data).toEqual([]);
  });

  it('can be late, and out of order', async () => {
    await close.configure({ event_lag_ms: 5000, event_late_every: 2 });
    for (const note of ['1', '2', '3']) await close.create({ note });
    const seen = async () =>
      (await events('lead_id=lead_Northwind')).data.map((event: Json) => event.data.note);
    expect(await seen()).toEqual(['3', '1']);
    close.clock.nowMs += 5000;
    expect(await seen()).toEqual(['3', '2', '1']);
  });

  it('logs the lead that a create without one makes', async () => {
    const { body } = await close.call('POST', '/opportunity/', { body: {} });
    const { data } = await events(`lead_id=${body.lead_id}`);
    expect(data.map((event: Json) => event.object_type)).toEqual(['opportunity', 'lead']);
    expect(data[0].request_id).toBe(data[1].request_id);
  });
});
