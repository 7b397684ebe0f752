import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CapsuleUnderTest, type Json, START_MS, startCapsule } from './capsule-client.ts';

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
const names = (body: Json) => body.opportunities.map((record: { name: string }) => record.name);

describe('lists of Capsule', () => {
  it('gets one, or up to ten by id', async () => {
    const ids: number[] = [];
    for (let number = 0; number < 11; number += 1) ids.push((await capsule.create({ name: `${number}` })).id);
    expect((await get(`/opportunities/${ids[0]}?embed=tags`)).opportunity).toMatchObject({
      id: ids[0],
      tags: [],
    });
    expect(names(await get(`/opportunities/${ids.slice(0, 3).join(',')}`))).toEqual(['0', '1', '2']);
    expect((await get(`/opportunities/${ids[0]},1`)).opportunities).toHaveLength(1);
    expect((await get(`/opportunities/${ids.join(',')}`)).errors).toMatchObject([
      { message: 'too many ids' },
    ]);
    expect(await get('/opportunities/1')).toEqual({ message: 'opportunity not found' });
  });

  it('lists what was created or changed since', async () => {
    const old = await capsule.create({ name: 'old' });
    await capsule.create({ name: 'untouched' });
    capsule.clock.nowMs += 60_000;
    await capsule.create({ name: 'new' });
    await capsule.call('PUT', `/opportunities/${old.id}`, { body: { opportunity: { description: 'x' } } });
    expect(names(await get('/opportunities'))).toEqual(['old', 'untouched', 'new']);
    expect(names(await get('/opportunities?since=2026-03-01T09:30:30Z'))).toEqual(['old', 'new']);
    expect(names(await get('/opportunities?since=2026-03-01T10:30:30%2B01:00'))).toEqual(['old', 'new']);
    expect((await get('/opportunities?since=yesterday')).message).toBe('Validation Failed');
  });

  it('pages, announcing a next page in two ways and keeping the parameters', async () => {
    for (let number = 0; number < 5; number += 1) await capsule.create({ name: String(number) });
    const first = await capsule.call('GET', '/opportunities?perPage=2&embed=tags,meta');
    expect(first.headers.get('x-pagination-has-more')).toBe('true');
    expect(first.body.meta).toEqual({ totalCount: 5 });
    const link = first.headers.get('link') ?? '';
    expect(link).toMatch(/rel="next"$/);
    const next = new URL(link.slice(1, link.indexOf('>')));
    expect(next.origin).toBe(capsule.origin);
    expect(Object.fromEntries(next.searchParams)).toEqual({ perPage: '2', embed: 'tags,meta', page: '2' });
    const second = await capsule.call('GET', next.href.slice(`${capsule.origin}/capsule/api/v2`.length));
    expect(names(second.body)).toEqual(['2', '3']);
    const last = await capsule.call('GET', '/opportunities?perPage=2&page=3');
    expect(last.headers.get('link')).toBeNull();
    expect(last.headers.get('x-pagination-has-more')).toBe('false');
    expect((await capsule.call('GET', '/opportunities?perPage=101')).status).toBe(422);
    expect((await capsule.call('GET', '/opportunities?page=0')).status).toBe(422);
  });

  it('shows 50 a page unless told otherwise', async () => {
    await Promise.all(Array.from({ length: 51 }, () => capsule.create()));
    expect((await get('/opportunities')).opportunities).toHaveLength(50);
    expect((await get('/opportunities?perPage=100')).opportunities).toHaveLength(51);
  });

  it('lists the opportunities of a party at once, main or additional', async () => {
    const main = await capsule.create({ fields: [{ definition: 901, value: 'job-1' }] });
    const other = await capsule.create({ party: { id: 4721 } });
    await capsule.call('POST', `/opportunities/${other.id}/parties/4711`);
    const { opportunities } = await get('/parties/4711/opportunities?embed=fields,tags&perPage=100');
    expect(opportunities.map((record: { id: number }) => record.id).sort()).toEqual([main.id, other.id]);
    expect(opportunities.find((record: { id: number }) => record.id === main.id).fields).toMatchObject([
      { value: 'job-1' },
    ]);
    expect(await get('/parties/1/opportunities')).toEqual({ message: 'party not found' });
  });
});

describe('filters of Capsule', () => {
  const filter = (conditions: object[], query = '') =>
    capsule.call('POST', `/opportunities/filters/results${query}`, { body: { filter: { conditions } } });
  const matching = async (field: string, operator: string, value: unknown) =>
    names((await filter([{ field, operator, value }])).body);

  it('finds a marker exactly', async () => {
    const { id } = await capsule.create({ fields: [{ definition: 901, value: 'job-1' }] });
    await capsule.create({ fields: [{ definition: 901, value: 'job-12' }] });
    const condition = { field: 'custom:901', operator: 'is', value: 'job-1' };
    const { body } = await filter([condition], '?embed=fields');
    expect(body.opportunities).toMatchObject([{ id, fields: [{ value: 'job-1' }] }]);
  });

  it('knows every field under its filter name', async () => {
    await capsule.create({
      name: 'Alpha deal',
      milestone: { id: 23 },
      value: { amount: 100, currency: 'EUR' },
      expectedCloseOn: '2026-03-05',
      tags: [{ name: 'Hot' }],
      team: { id: 702 },
      fields: [
        { definition: 902, value: 3 },
        { definition: 903, value: '2026-09-01' },
        { definition: 904, value: 'Web' },
        { definition: 906, value: true },
      ],
    });
    const beta = await capsule.create({
      name: 'Beta',
      milestone: { id: 16 },
      party: { id: 4712 },
      lostReason: { id: 41 },
    });
    const alpha = ['Alpha deal'];
    expect(await matching('name', 'contains', 'deal')).toEqual(alpha);
    expect(await matching('name', 'starts with', 'alp')).toEqual(alpha);
    expect(await matching('name', 'ends with', 'DEAL')).toEqual(alpha);
    expect(await matching('name', 'is not', 'Beta')).toEqual(alpha);
    expect(await matching('status', 'is', 'lost')).toEqual(['Beta']);
    expect(await matching('pipeline', 'is', 32)).toEqual(alpha);
    expect(await matching('milestone', 'is', 'Proposal')).toEqual(alpha);
    expect(await matching('probability', 'is greater than', 50)).toEqual(alpha);
    expect(await matching('probability', 'is less than', 50)).toEqual(['Beta']);
    expect(await matching('lostReason', 'is', 'Price')).toEqual(['Beta']);
    expect(await matching('currency', 'is', 'EUR')).toEqual(alpha);
    expect(await matching('expectedValue', 'is', 60)).toEqual(alpha);
    expect(await matching('tag', 'is', 'Hot')).toEqual(alpha);
    expect(await matching('tag', 'is', 801)).toEqual(alpha);
    expect(await matching('team', 'is', 702)).toEqual(alpha);
    expect(await matching('owner', 'is', 61)).toEqual(['Beta']);
    expect(await matching('isOpen', 'is', true)).toEqual(alpha);
    expect(await matching('isStale', 'is', true)).toEqual([]);
    expect(await matching('isOwnedByMe', 'is', true)).toEqual(['Beta']);
    expect(await matching('hasTags', 'is', false)).toEqual(['Beta']);
    expect(await matching('addedOn', 'is', '2026-03-01')).toHaveLength(2);
    expect(await matching('addedOn', 'is within last', 1)).toHaveLength(2);
    expect(await matching('updatedOn', 'is after', '2026-02-28')).toHaveLength(2);
    expect(await matching('updatedOn', 'is older than', 1)).toEqual([]);
    expect(await matching('lastContactedOn', 'is before', '2030-01-01')).toEqual([]);
    expect(await matching('closedOn', 'is', '2026-03-01')).toEqual(['Beta']);
    expect(await matching('expectedCloseOn', 'is within next', 7)).toEqual(alpha);
    expect(await matching('party', 'is', 4712)).toEqual(['Beta']);
    expect(await matching('primaryContact', 'is', 4711)).toEqual(alpha);
    expect(await matching('primaryContactName', 'contains', 'nora')).toEqual(['Beta']);
    expect(await matching('hasOpenTasks', 'is', true)).toEqual([]);
    expect(await matching('includedForConversion', 'is', true)).toHaveLength(2);
    expect(await matching('custom:902', 'is greater than', 2)).toEqual(alpha);
    expect(await matching('custom:903', 'is before', '2027-01-01')).toEqual(alpha);
    expect(await matching('custom:904', 'is', 'Web')).toEqual(alpha);
    expect(await matching('custom:906', 'is', false)).toEqual(['Beta']);
    expect(await matching('id', 'is', beta.id)).toEqual(['Beta']);
  });

  it('joins conditions by "and", and pages', async () => {
    await capsule.create({ name: 'a', tags: [{ id: 801 }] });
    await capsule.create({ name: 'b', tags: [{ id: 801 }] });
    const hot = { field: 'tag', operator: 'is', value: 'Hot' };
    expect(names((await filter([hot, { field: 'name', operator: 'is', value: 'b' }])).body)).toEqual(['b']);
    const page = await filter([hot], '?perPage=1');
    expect(page.headers.get('link')).toContain(
      '/opportunities/filters/results?perPage=1&page=2>; rel="next"',
    );
  });

  it.each(['createdAt', 'updatedAt', 'lastContactedAt', 'description', 'custom:1', 'constructor'])(
    'does not know the field name %s',
    async (field) => {
      const reply = await filter([{ field, operator: 'is', value: 'x' }]);
      expect(reply.status).toBe(422);
      expect(reply.body).toEqual({
        message: 'Validation Failed',
        errors: [{ message: 'invalid field name', resource: 'filter', field: 'field' }],
      });
    },
  );

  it.each([
    ['name', 'equals'],
    ['name', 'is greater than'],
    ['probability', 'contains'],
    ['addedOn', 'starts with'],
    ['isOpen', 'is after'],
  ])('does not take %s with "%s"', async (field, operator) => {
    const reply = await filter([{ field, operator, value: 'x' }]);
    expect([reply.status, reply.body.errors[0].message]).toEqual([422, 'invalid operator']);
  });

  it('can lag behind the lists', async () => {
    await capsule.configure({ filter_lag_ms: 5000 });
    await capsule.create({ name: 'late' });
    expect(await matching('name', 'is', 'late')).toEqual([]);
    expect(names(await get('/opportunities/search?q=late'))).toEqual([]);
    expect(names(await get('/parties/4711/opportunities'))).toEqual(['late']);
    expect(names(await get('/opportunities?since=2026-03-01'))).toEqual(['late']);
    capsule.clock.nowMs += 5000;
    expect(await matching('name', 'is', 'late')).toEqual(['late']);
    expect(names(await get('/opportunities/search?q=LAT'))).toEqual(['late']);
  });

  it('needs conditions', async () => {
    expect((await capsule.call('POST', '/opportunities/filters/results', { body: {} })).status).toBe(422);
  });
});

describe('look-ups in Capsule', () => {
  it('lists only the milestones of the oldest pipeline, and all elsewhere', async () => {
    const ids = (body: Json) => body.milestones.map((milestone: { id: number }) => milestone.id);
    expect(ids(await get('/milestones'))).toEqual([12, 13, 14, 15, 16]);
    expect(ids(await get('/milestones/all'))).toHaveLength(9);
    expect(ids(await get('/pipelines/32/milestones'))).toEqual([22, 23, 25, 26]);
    const { milestones } = await get('/milestones/all');
    const proposals = milestones.filter((milestone: { name: string }) => milestone.name === 'Proposal');
    expect(proposals.map((milestone: Json) => milestone.pipeline.id)).toEqual([31, 32]);
    expect((await get('/milestones/15')).milestone).toMatchObject({ complete: true, probability: 100 });
    expect((await get('/milestones/15')).milestone).not.toHaveProperty('daysUntilStale');
    expect((await get('/milestones/14')).milestone).toMatchObject({ complete: false, daysUntilStale: 30 });
  });

  it('lists pipelines, by name too', async () => {
    expect((await get('/pipelines')).pipelines).toHaveLength(2);
    expect((await get('/pipelines?q=renew')).pipelines).toMatchObject([{ id: 32, name: 'Renewals' }]);
    expect((await get('/pipelines/31')).pipeline).toMatchObject({ name: 'Sales' });
  });

  it('lists users, teams without their members, lost reasons and 80 currencies', async () => {
    expect((await get('/users')).users.map((user: { id: number }) => user.id)).toEqual([61, 62, 63]);
    expect((await get('/users/62')).user).toMatchObject({ username: 'bob' });
    expect(await get('/teams')).toEqual({
      teams: [
        { id: 701, name: 'Sales' },
        { id: 702, name: 'Renewals' },
      ],
    });
    expect((await get('/lostreasons')).lostReasons).toMatchObject([{ id: 41 }, { id: 42 }, { id: 43 }]);
    const { currencies } = await get('/currencies');
    expect(currencies).toHaveLength(80);
    expect(currencies).toContainEqual({ code: 'EUR', name: 'Euro' });
  });

  it('lists field definitions of all types; those of data tags only on request', async () => {
    const { definitions } = await get('/opportunities/fields/definitions');
    expect(definitions.map((definition: { type: string }) => definition.type)).toEqual([
      'text',
      'number',
      'date',
      'list',
      'multiselect',
      'boolean',
      'link',
      'text',
    ]);
    expect(definitions[3].options).toEqual(['Web', 'Referral', 'Event']);
    const all = await get('/opportunities/fields/definitions?includeDataTagFields=true');
    expect(all.definitions.at(-1)).toMatchObject({ id: 951, tag: { id: 803, dataTag: true } });
    expect((await get('/opportunities/tags/803/definitions')).definitions).toMatchObject([{ id: 951 }]);
    expect((await get('/opportunities/fields/definitions/901')).definition).toMatchObject({ type: 'text' });
  });

  it('lists tags, shows parties and the site', async () => {
    expect((await get('/opportunities/tags')).tags).toContainEqual({
      id: 803,
      name: 'Enterprise',
      dataTag: true,
    });
    expect((await get('/parties/4711')).party).toMatchObject({ type: 'organisation', name: 'Northwind' });
    expect((await get('/parties/51000')).party).toMatchObject({ name: 'Account 1000' });
    expect(await get('/parties/1')).toEqual({ message: 'party not found' });
    expect((await get('/site')).site).toMatchObject({ subdomain: 'demo' });
  });
});
