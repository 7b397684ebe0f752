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

const post = (fields: Record<string, unknown>, query = '') =>
  capsule.call('POST', `/opportunities${query}`, { body: { opportunity: { ...MINIMUM, ...fields } } });
const count = async () =>
  (await capsule.control('GET', '/records?provider=capsule&count_only=true')).body.count;

describe('creating an opportunity in Capsule', () => {
  it('answers 201 with Location and the wrapped record, without what was not embedded', async () => {
    const reply = await post({
      description: 'Text',
      value: { amount: 1250.5, currency: 'EUR' },
      expectedCloseOn: '2026-04-30',
      tags: [{ name: 'Hot' }],
      fields: [{ definition: { id: 901 }, value: 'job-1' }],
    });
    expect(reply.status).toBe(201);
    const { id } = reply.body.opportunity;
    expect(reply.headers.get('location')).toBe(`${capsule.origin}/capsule/api/v2/opportunities/${id}`);
    expect(reply.body).toEqual({
      opportunity: {
        id: 9000001,
        owner: {
          id: 61,
          deleted: false,
          username: 'ann',
          pictureURL: expect.stringMatching(/^https:/),
          name: 'Ann Seller',
        },
        team: null,
        party: { id: 4711, type: 'organisation', name: 'Northwind', pictureURL: expect.any(String) },
        lostReason: null,
        milestone: { id: 14, name: 'Bid' },
        value: { amount: 1250.5, currency: 'EUR' },
        probability: 50,
        durationBasis: 'FIXED',
        duration: null,
        expectedCloseOn: '2026-04-30',
        closedOn: null,
        createdAt: '2026-03-01T09:30:00Z',
        updatedAt: '2026-03-01T09:30:00Z',
        lastContactedAt: null,
        lastStageChangedAt: '2026-03-01T09:30:00Z',
        lastOpenMilestone: { id: 14, name: 'Bid' },
        name: 'Renewal',
        description: 'Text',
      },
    });
  });

  it('embeds on request', async () => {
    const fields = {
      party: { id: 4712 },
      tags: [{ id: 802 }],
      fields: [{ definition: 901, value: 'job-1' }],
    };
    const { body } = await post(fields, '?embed=tags,fields,party,milestone,missingImportantFields');
    expect(body.opportunity).toMatchObject({
      tags: [{ id: 802, name: 'Partner', dataTag: false }],
      fields: [
        { id: expect.any(Number), definition: { id: 901, name: 'External Reference' }, value: 'job-1' },
      ],
      party: {
        id: 4712,
        firstName: 'Nora',
        lastName: 'North',
        organisation: { id: 4711 },
        emailAddresses: [],
      },
      milestone: { id: 14, pipeline: { id: 31, name: 'Sales' }, probability: 50 },
      missingImportantFields: true,
    });
    expect(body.opportunity.party).not.toHaveProperty('name');
    const filled = await post(
      { fields: [{ definition: 908, value: 'Nora' }] },
      '?embed=missingImportantFields',
    );
    expect(filled.body.opportunity.missingImportantFields).toBe(false);
  });

  it('makes the user of the token the owner, and takes the probability of the milestone', async () => {
    const { body } = await capsule.call('POST', '/opportunities', {
      body: { opportunity: { ...MINIMUM, milestone: { id: 23 } } },
      token: 'demo-capsule-token-7',
    });
    expect(body.opportunity).toMatchObject({ owner: { name: 'Token 7' }, probability: 60 });
  });

  it('takes owner, team or both when the owner is in the team', async () => {
    const both = (await post({ owner: { id: 62 }, team: { id: 701 } })).body.opportunity;
    expect(both).toMatchObject({ owner: { id: 62 }, team: { id: 701, name: 'Sales' } });
    expect((await post({ team: { id: 702 } })).body.opportunity).toMatchObject({
      owner: null,
      team: { id: 702 },
    });
  });

  it('ignores what is read-only', async () => {
    const { body } = await post({ id: 5, createdAt: '2020-01-01T00:00:00Z', pipeline: { id: 32 } });
    expect(body.opportunity).toMatchObject({ createdAt: '2026-03-01T09:30:00Z', milestone: { id: 14 } });
  });

  it('closes with a closing milestone', async () => {
    const won = (await post({ milestone: { id: 15 }, closedOn: '2026-02-01' })).body.opportunity;
    expect(won).toMatchObject({ probability: 100, closedOn: '2026-02-01', lastOpenMilestone: null });
    const lost = (await post({ milestone: { id: 16 }, lostReason: { id: 41 } })).body.opportunity;
    expect(lost).toMatchObject({ probability: 0, closedOn: '2026-03-01', lostReason: { name: 'Price' } });
  });

  it('keeps a value without an amount and a duration with its basis', async () => {
    expect((await post({ value: { currency: 'GBP' } })).body.opportunity.value).toEqual({
      amount: null,
      currency: 'GBP',
    });
    expect((await post({ durationBasis: 'MONTH', duration: 12 })).body.opportunity).toMatchObject({
      durationBasis: 'MONTH',
      duration: 12,
    });
  });

  it('attaches tags by name whatever their case, and makes the missing ones once', async () => {
    const first = await capsule.create({ tags: [{ name: 'hot' }, { name: 'Brand new' }] });
    expect(first.tags.map((tag: { name: string }) => tag.name)).toEqual(['Hot', 'Brand new']);
    const second = await capsule.create({ tags: [{ name: 'BRAND NEW' }, { name: 'brand new' }] });
    expect(second.tags).toEqual([first.tags[1]]);
    const { tags } = (await capsule.call('GET', '/opportunities/tags')).body;
    expect(tags).toHaveLength(4);
  });

  it('makes no tag when the create is refused', async () => {
    expect((await post({ name: '', tags: [{ name: 'Stray' }] })).status).toBe(422);
    expect((await capsule.call('GET', '/opportunities/tags')).text).not.toContain('Stray');
  });

  it('reads numbers back as text and shows no row for a boolean that is false', async () => {
    const { fields } = await capsule.create({
      fields: [
        { definition: { id: 902 }, value: 3 },
        { definition: { id: 903 }, value: '2026-09-01' },
        { definition: { id: 904 }, value: 'Web' },
        { definition: { id: 905 }, value: 'Basic;Plus' },
        { definition: { id: 906 }, value: false },
        { definition: { id: 907 }, value: 'https://example.com' },
        { definition: { id: 908 }, value: null },
      ],
    });
    expect(
      fields.map((row: { definition: { id: number }; value: unknown }) => [row.definition.id, row.value]),
    ).toEqual([
      [902, '3'],
      [903, '2026-09-01'],
      [904, 'Web'],
      [905, 'Basic;Plus'],
      [907, 'https://example.com'],
    ]);
    const approved = await capsule.create({ fields: [{ definition: 906, value: true }] });
    expect(approved.fields).toMatchObject([{ value: true }]);
  });

  it('does not attach the data tag of a field', async () => {
    const { fields, tags } = await capsule.create({ fields: [{ definition: 951, value: 'Plan' }] });
    expect(fields).toMatchObject([{ value: 'Plan', tagId: 803 }]);
    expect(tags).toEqual([]);
  });

  it('clears the owner after the answer when the account automates', async () => {
    await capsule.configure({ automation: true });
    const created = await capsule.create({ owner: { id: 62 } });
    expect(created.owner).toMatchObject({ id: 62 });
    const read = await capsule.call('GET', `/opportunities/${created.id}`);
    expect(read.body.opportunity.owner).toBeNull();
    const restored = await capsule.call('PUT', `/opportunities/${created.id}`, {
      body: { opportunity: { owner: { id: 62 } } },
    });
    expect(restored.body.opportunity.owner).toMatchObject({ id: 62 });
  });
});

describe('what Capsule refuses on create', () => {
  it.each([
    [{ name: undefined }, 'name', 'name is required'],
    [{ name: ' ' }, 'name', 'name is required'],
    [{ name: 5 }, 'name', 'invalid type for field'],
    [{ party: undefined }, 'party', 'party is required'],
    [{ party: null }, 'party', 'party is required'],
    [{ party: { id: 1 } }, 'party', 'party not found'],
    [{ milestone: undefined }, 'milestone', 'milestone is required'],
    [{ milestone: { id: 1 } }, 'milestone', 'milestone not found'],
    [{ owner: { id: 1 } }, 'owner', 'owner not found'],
    [{ team: { id: 1 } }, 'team', 'team not found'],
    [{ owner: { id: 63 }, team: { id: 701 } }, 'owner', 'owner is not a member of the team'],
    [{ lostReason: { id: 1 } }, 'lostReason', 'lostReason not found'],
    [{ value: { amount: 5 } }, 'value.currency', 'currency is required'],
    [{ value: { amount: 5, currency: 'XXX' } }, 'value.currency', 'currency is invalid'],
    [{ value: { amount: '5', currency: 'EUR' } }, 'value.amount', 'invalid type for field'],
    [{ expectedCloseOn: '2026-02-30' }, 'expectedCloseOn', 'expectedCloseOn is not a valid date'],
    [{ expectedCloseOn: '2026-02-03T00:00:00Z' }, 'expectedCloseOn', 'expectedCloseOn is not a valid date'],
    [{ probability: 101 }, 'probability', 'probability must be between 0 and 100'],
    [
      { milestone: { id: 15 }, probability: 90 },
      'probability',
      'probability can be updated only for open opportunity',
    ],
    [{ duration: 3 }, 'duration', 'duration must be null for fixed duration basis'],
    [{ durationBasis: 'MONTH' }, 'duration', 'duration is required'],
    [{ durationBasis: 'AEON' }, 'durationBasis', 'durationBasis is invalid'],
    [{ tags: [{ id: 1 }] }, 'tags', 'tag not found'],
    [{ fields: [{ definition: { id: 1 }, value: 'x' }] }, 'field.definition', 'definition not found'],
    [{ fields: [{ definition: 906, value: null }] }, 'field.value', 'invalid type for field'],
    [{ fields: [{ definition: 906, value: 'true' }] }, 'field.value', 'invalid type for field'],
    [{ fields: [{ definition: 904, value: 'Fax' }] }, 'field.value', 'invalid option for field'],
    [{ fields: [{ definition: 905, value: 'Basic;Fax' }] }, 'field.value', 'invalid option for field'],
    [{ fields: [{ definition: 902, value: 'many' }] }, 'field.value', 'invalid type for field'],
    [{ fields: [{ definition: 903, value: '1 May' }] }, 'field.value', 'invalid date'],
  ])('refuses %j', async (fields, field, message) => {
    const reply = await post(fields);
    expect(reply.status).toBe(422);
    expect(reply.body).toEqual({
      message: 'Validation Failed',
      errors: [{ message, resource: 'opportunity', field }],
    });
    expect(await count()).toBe(0);
  });

  it('lists every failure in one answer', async () => {
    const { body } = await post({ name: null, party: null, milestone: null, value: { amount: 1 } });
    expect(body.errors.map((error: { field: string }) => error.field).sort()).toEqual([
      'milestone',
      'name',
      'party',
      'value.currency',
    ]);
  });

  it('refuses a body without the wrapper', async () => {
    const reply = await capsule.call('POST', '/opportunities', { body: MINIMUM });
    expect(reply.status).toBe(422);
    expect(await count()).toBe(0);
  });

  it('answers 400 to malformed JSON and 415 to another type', async () => {
    const malformed = await capsule.call('POST', '/opportunities', { text: '{"opportunity":' });
    expect([malformed.status, malformed.body]).toEqual([400, { message: 'Malformed JSON' }]);
    expect((await capsule.call('POST', '/opportunities', { form: { name: 'x' } })).status).toBe(415);
  });
});
