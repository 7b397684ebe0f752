import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { salesforce } from '../../shared/providers/salesforce/descriptor.ts';
import { anOpportunity, IDS, someFacts } from './salesforce-support.ts';

const RECORD = {
  attributes: { type: 'Opportunity', url: '/services/data/v62.0/sobjects/Opportunity/006RO000004Kt7PYAS' },
  Id: '006RO000004Kt7PYAS',
  AccountId: IDS.account,
  Account: { Id: IDS.account, Name: 'Acme' },
  Name: 'Big deal',
  Description: null,
  StageName: 'Prospecting',
  Amount: 15000.0,
  CloseDate: '2024-05-01',
  IsClosed: false,
  IsWon: false,
  OwnerId: IDS.user,
  CreatedDate: '2024-04-01T12:00:00.000+0000',
  LastModifiedDate: '2024-04-02T14:00:00.000+0200',
  LastActivityDate: '2024-04-03',
  ContactId: IDS.contact,
  OpportunityContactRoles: {
    totalSize: 2,
    done: true,
    records: [
      { ContactId: IDS.secondContact, IsPrimary: false },
      { ContactId: IDS.contact, IsPrimary: true },
      { ContactId: IDS.contact, IsPrimary: false },
    ],
  },
  Region__c: 'North',
  Empty__c: null,
};

describe('the unified opportunity', () => {
  it('has every field of the record, moments in UTC', () => {
    expect(salesforce.unify(RECORD, someFacts())).toEqual({
      id: '006RO000004Kt7PYAS',
      name: 'Big deal',
      description: null,
      amount: 15000,
      currency: 'EUR',
      owner: { id: IDS.user },
      account: { id: IDS.account, name: 'Acme' },
      contact: [{ id: IDS.contact }, { id: IDS.secondContact }],
      stage: { id: 'Prospecting', name: 'Akquise' },
      status: 'open',
      custom_fields: { Region__c: 'North' },
      last_activity_at: '2024-04-03',
      close_date: '2024-05-01',
      created_at: '2024-04-01T12:00:00.000Z',
      updated_at: '2024-04-02T12:00:00.000Z',
      remote_data: RECORD,
    });
  });

  it.each([
    [{ IsClosed: true, IsWon: true }, 'won'],
    [{ IsClosed: true, IsWon: false }, 'lost'],
    [{ IsClosed: undefined, IsWon: undefined, StageName: 'Closed Lost' }, 'lost'],
    [{ IsClosed: undefined, IsWon: undefined, StageName: 'Unknown' }, undefined],
  ])('with %j is %s', (over, status) => {
    expect(salesforce.unify({ ...RECORD, ...over }, someFacts()).status).toBe(status);
  });

  it("prefers the record's own currency and does without facts", () => {
    const unified = salesforce.unify({ ...RECORD, CurrencyIsoCode: 'JPY' }, undefined);
    expect(unified).toMatchObject({ currency: 'JPY', stage: { id: 'Prospecting', name: 'Prospecting' } });
  });

  it('takes the contact of the record where the roles are hidden', () => {
    expect(salesforce.unify({ ...RECORD, OpportunityContactRoles: undefined }, undefined).contact).toEqual([
      { id: IDS.contact },
    ]);
  });

  it('leaves hidden fields out', () => {
    expect(salesforce.unify({ Id: '006' }, undefined)).toEqual({
      id: '006',
      custom_fields: {},
      remote_data: { Id: '006' },
    });
  });

  it('works on a bare create answer', () => {
    const answer = { id: '006RO000004Kt7PYAS', success: true, errors: [] };
    expect(salesforce.unify(answer, someFacts())).toEqual({ id: answer.id, remote_data: answer });
  });

  it.each([[null], ['html'], [[]], [42]])('does not fall over %j', (record) => {
    expect(salesforce.unify(record, undefined)).toEqual({ id: '', remote_data: record });
  });
});

/** What Salesforce would hold after storing a body; written from its documentation, not from the mapping. */
function store(body: Record<string, unknown>): Record<string, unknown> {
  const { ContactId, ...fields } = body;
  const amount = fields.Amount;
  return {
    Id: '006RO000004Kt7PYAS',
    ...fields,
    ...(typeof amount === 'number' ? { Amount: Math.round((amount + Number.EPSILON) * 100) / 100 } : {}),
    IsClosed: String(fields.StageName).startsWith('Closed'),
    IsWon: fields.StageName === 'Closed Won',
    OpportunityContactRoles: { records: ContactId === undefined ? [] : [{ ContactId, IsPrimary: true }] },
  };
}

const CHARACTERS = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).filter((text) => {
  const parsed = OpportunityInput.shape.name.safeParse(text);
  return parsed.success && text.trim() !== '';
});
const DATE = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2090-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());

const STAGE: fc.Arbitrary<NonNullable<OpportunityInput['stage']>> = fc.constantFrom(
  { id: 'Prospecting' },
  { name: 'Angebot' },
  { name: 'closed won' },
  { id: 'Closed Lost' },
);

const INPUT = fc.record(
  {
    name: CHARACTERS,
    description: CHARACTERS,
    amount: fc.oneof(
      fc.nat({ max: 999_999_999_999 }).map((cents) => Number(`${cents}e-2`)),
      fc.nat({ max: 999_999_999 }).map((thousandths) => Number(`${thousandths}e-3`)),
    ),
    owner: fc.constant({ id: IDS.user }),
    account: fc.constantFrom({ id: IDS.account }, { id: IDS.account.slice(0, 15) }),
    contact: fc.constantFrom([], [{ id: IDS.contact }]),
    close_date: fc.oneof(
      DATE,
      DATE.map((text) => text.slice(0, 10)),
    ),
    created_at: DATE,
    currency: fc.constantFrom('EUR', 'JPY', 'USD'),
    stage: STAGE,
    tags: fc.constantFrom([], [{ name: 'hot' }]),
    custom_fields: fc.record(
      { Region__c: fc.string({ maxLength: 40 }), Score__c: fc.integer(), Colors__c: fc.constant(['a', 'b']) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

describe('planning, storing and reading back', () => {
  it.each([
    ['one currency', someFacts(), {}],
    [
      'several currencies and audit fields',
      someFacts({ currency: { mode: 'per_record', allowed: ['EUR', 'JPY', 'USD'] } }),
      { salesforce: { audit_fields: true } },
    ],
  ])('gives what was asked for, or says what it does not, with %s', (_, facts, settings) => {
    fc.assert(
      fc.property(INPUT, (given) => {
        const opportunity = OpportunityInput.parse({ ...anOpportunity(), ...given });
        const result = salesforce.plan({ opportunity, settings, facts, remoteQuery: {}, marker: undefined });
        if (!result.ok) throw new Error(JSON.stringify(result.failures));
        // The body of a create is an object by construction of the mapping under test.
        const read = salesforce.unify(store(result.plan.create.body as Record<string, unknown>), facts);
        const said = [...result.unsupported, ...result.warnings].map((note) => note.pointer);

        expect(read.name).toBe(opportunity.name);
        expect(read.description).toBe(opportunity.description);
        if (said.includes('/amount'))
          expect(Math.abs(Number(read.amount) - Number(given.amount))).toBeLessThan(0.0051);
        else expect(read.amount).toBe(opportunity.amount);
        expect(read.owner).toEqual(opportunity.owner);
        expect(read.account).toEqual(opportunity.account);
        expect(read.contact).toEqual(opportunity.contact ?? []);
        expect(read.close_date).toBe(opportunity.close_date?.slice(0, 10));
        const stage = facts.stages.find(({ id }) => id === read.stage?.id);
        expect([stage?.id.toLowerCase(), stage?.name.toLowerCase()]).toContain(
          (opportunity.stage?.id ?? opportunity.stage?.name)?.toLowerCase(),
        );
        expect(read.status).toBe(stage?.status);
        if (opportunity.created_at !== undefined && !said.includes('/created_at'))
          expect(read.created_at).toBe(opportunity.created_at);
        if (opportunity.currency !== undefined && !said.includes('/currency'))
          expect(read.currency).toBe(opportunity.currency);
        expect(said.includes('/tags')).toBe((opportunity.tags ?? []).length > 0);
        expect(read.custom_fields).toEqual(opportunity.custom_fields ?? {});
      }),
      { numRuns: 300 },
    );
  });

  it('sends the very number that was given', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e15, maxExcluded: true, noNaN: true }), (amount) => {
        const opportunity = anOpportunity({ amount });
        const result = salesforce.plan({
          opportunity,
          settings: {},
          facts: undefined,
          remoteQuery: {},
          marker: undefined,
        });
        expect(result.ok && result.plan.create.body).toMatchObject({ Amount: amount });
      }),
    );
  });
});
