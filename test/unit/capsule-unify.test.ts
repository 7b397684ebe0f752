import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Opportunity, OpportunityInput } from '../../shared/domain/opportunity.ts';
import { unify } from '../../shared/providers/capsule/unify.ts';
import { isJsonObject } from '../../shared/providers/merge-remote-data.ts';
import { capsuleBody, capsuleFacts, JOB_ID, planCapsule } from './capsule-support.ts';

const opportunity = {
  id: 9001234,
  owner: { id: 61, name: 'Ann' },
  party: { id: 4711, type: 'organisation', name: 'Northwind' },
  milestone: { id: 15, name: 'Won' },
  value: { amount: 1250.5, currency: 'EUR' },
  probability: 100,
  expectedCloseOn: '2026-04-30',
  closedOn: '2026-03-01',
  createdAt: '2026-03-01T09:30:00Z',
  updatedAt: '2026-03-01T09:31:00Z',
  lastContactedAt: '2026-02-01T00:00:00Z',
  name: 'Renewal',
  description: `Text\n\n[ref:${JOB_ID}]`,
  tags: [{ id: 801, name: 'Hot', dataTag: false }],
  fields: [
    { id: 1, definition: { id: 902, name: 'Seats' }, value: '3' },
    { id: 2, definition: { id: 905, name: 'Products' }, value: 'Basic;Plus' },
  ],
};

describe('reading a record of Capsule', () => {
  it('fills every field of ours', () => {
    const parties = [
      { id: 4711, type: 'organisation' },
      { id: 4712, type: 'person', firstName: 'Nora' },
    ];
    const read = unify({ opportunity, parties }, capsuleFacts());
    expect(read).toEqual({
      id: '9001234',
      name: 'Renewal',
      description: 'Text',
      amount: 1250.5,
      currency: 'EUR',
      owner: { id: '61' },
      account: { id: '4711', name: 'Northwind' },
      contact: [{ id: '4712' }],
      stage: { id: '15', name: 'Won' },
      status: 'won',
      tags: [{ id: '801', name: 'Hot' }],
      custom_fields: { '902': 3, '905': ['Basic', 'Plus'] },
      last_activity_at: '2026-02-01T00:00:00.000Z',
      close_date: '2026-04-30',
      created_at: '2026-03-01T09:30:00.000Z',
      updated_at: '2026-03-01T09:31:00.000Z',
    });
    expect(Opportunity.safeParse(read).success).toBe(true);
  });

  it('takes a person as the party for account and contact in one', () => {
    const party = { id: 4712, type: 'person', firstName: 'Nora', lastName: 'North' };
    expect(unify({ opportunity: { ...opportunity, party } }, undefined)).toMatchObject({
      account: { id: '4712', name: 'Nora North' },
      contact: [{ id: '4712' }],
    });
  });

  it.each([
    [null, 50, 'open'],
    ['2026-03-01', 100, 'won'],
    ['2026-03-01', 0, 'lost'],
  ])('without facts, closed on %s at %d %% is %s', (closedOn, probability, status) => {
    expect(unify({ ...opportunity, closedOn, probability }, undefined).status).toBe(status);
  });

  it('leaves absent what was not embedded, and null what is empty', () => {
    const read = unify({ id: 1, value: { amount: null, currency: null } }, undefined);
    expect(read).not.toHaveProperty('tags');
    expect(read).not.toHaveProperty('custom_fields');
    expect(read).toMatchObject({
      amount: null,
      currency: null,
      account: null,
      contact: [],
      last_activity_at: null,
    });
  });

  it('keeps a number as text when it would lose digits', () => {
    const fields = [{ definition: { id: 902 }, value: '12345678901234567890' }];
    expect(unify({ ...opportunity, fields }, capsuleFacts()).custom_fields).toEqual({
      '902': '12345678901234567890',
    });
  });
});

/** What Capsule would show after the create and its follow-ups: false disappears, ids get names and types. */
function store(body: Record<string, unknown>, followers: unknown[]) {
  const fields = (Array.isArray(body.fields) ? body.fields : []).filter(
    (entry) => isJsonObject(entry) && entry.value !== false,
  );
  const tags = (Array.isArray(body.tags) ? body.tags : []).map((tag, index) => ({ id: index + 1, ...tag }));
  const party = { type: 'person', ...(isJsonObject(body.party) ? body.party : {}) };
  return {
    opportunity: { id: 1, value: null, ...body, party, fields, tags },
    parties: followers.map((id) => ({ id })),
  };
}

const word = fc
  .string({ minLength: 1, maxLength: 12 })
  .filter((text) => text.trim() === text && !text.includes('\0'));
const request = fc.record(
  {
    name: word,
    description: word,
    amount: fc.integer({ min: 0, max: 999_999_999 }).map((n) => n / 1000),
    currency: fc.constantFrom('EUR', 'JPY'),
    close_date: fc.constantFrom('2026-04-30', '2026-12-31T23:59:59-08:00'),
    created_at: fc.constant('2025-01-02'),
    contact: fc
      .array(fc.constantFrom('1', '2', '4711'), { minLength: 1 })
      .map((ids) => ids.map((id) => ({ id }))),
    stage: fc.constantFrom({ id: '23' }, { name: 'won' }),
    owner: fc.constant({ id: '61' }),
    tags: fc
      .uniqueArray(word, { maxLength: 3, selector: (text) => text.toLowerCase() })
      .map((names) => names.map((name) => ({ name }))),
    custom_fields: fc.record(
      {
        '901': word,
        '902': fc.integer(),
        '904': fc.constantFrom('Web', 'Event'),
        '905': fc.uniqueArray(fc.constantFrom('Basic', 'Plus'), { minLength: 1 }),
        '906': fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

it('what is asked reads back, or is named in warnings, unsupported or failures', () => {
  fc.assert(
    fc.property(request, fc.boolean(), (fields, marked) => {
      const marker = marked ? ({ kind: 'text', field: 'description', value: JOB_ID } as const) : undefined;
      const result = planCapsule(fields, { marker });
      const asked = OpportunityInput.parse(fields);
      if (!result.ok) {
        expect(result.failures.map(({ pointer }) => pointer)).toEqual(['/currency']);
        expect([asked.amount === undefined, asked.currency]).toEqual([false, undefined]);
        return;
      }
      const followers = result.plan.followUps.map(({ data }) => data.partyId);
      const read = unify(store(capsuleBody(result.plan), followers), capsuleFacts());
      const said = [...result.warnings, ...result.unsupported].map(({ pointer }) => pointer);

      if (asked.name !== undefined) expect(read.name).toBe(asked.name);
      expect(read.description ?? undefined).toBe(asked.description);
      expect(read.amount ?? undefined).toBe(asked.amount);
      if (!said.includes('/currency')) expect(read.currency ?? undefined).toBe(asked.currency);
      expect(read.close_date ?? undefined).toBe(asked.close_date?.slice(0, 10));
      if (asked.created_at !== undefined) expect(said).toContain('/created_at');
      for (const { id } of asked.contact ?? []) expect(read.contact).toContainEqual({ id });
      expect(new Set(read.contact?.map(({ id }) => id)).size).toBe(read.contact?.length);
      if (asked.owner) expect(read.owner).toEqual(asked.owner);
      expect(read.tags?.map(({ name }) => name)).toEqual(asked.tags?.map(({ name }) => name) ?? []);
      const { '906': approved, ...custom } = asked.custom_fields ?? {};
      expect(read.custom_fields).toEqual({ ...custom, ...(approved === true ? { '906': true } : {}) });
    }),
    { numRuns: 500 },
  );
});
