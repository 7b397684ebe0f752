import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minorDigits } from '../../shared/domain/money.ts';
import { Opportunity, OpportunityInput } from '../../shared/domain/opportunity.ts';
import { readNote } from '../../shared/providers/close/note.ts';
import { bodyOf } from '../../shared/providers/close/plan-body.ts';
import { unify } from '../../shared/providers/close/unify.ts';
import { closeFacts, JOB_ID, planClose } from './close-support.ts';

const record = {
  id: 'oppo_1',
  lead_id: 'lead_1',
  lead_name: 'Northwind',
  contact_id: 'cont_1',
  user_id: 'user_1',
  note: `Renewal\n\nTwo\nlines\n\n[ref:${JOB_ID}]`,
  value: 125050,
  value_currency: 'EUR',
  status_id: 'stat_1',
  status_label: 'Proposal',
  status_type: 'active',
  date_won: '2026-04-30',
  date_created: '2026-03-01T09:30:00.123000+00:00',
  date_updated: '2026-03-01T09:31:00.000000',
  'custom.cf_ref': 'x',
  'custom.cf_products': ['a', 'b'],
};

describe('reading a record of Close', () => {
  it('fills every field of ours', () => {
    expect(unify(record, undefined)).toEqual({
      id: 'oppo_1',
      name: 'Renewal',
      description: 'Two\nlines',
      amount: 1250.5,
      currency: 'EUR',
      owner: { id: 'user_1' },
      account: { id: 'lead_1', name: 'Northwind' },
      contact: [{ id: 'cont_1' }],
      stage: { id: 'stat_1', name: 'Proposal' },
      status: 'open',
      custom_fields: { cf_ref: 'x', cf_products: ['a', 'b'] },
      last_activity_at: '2026-03-01T09:31:00.000Z',
      close_date: '2026-04-30',
      created_at: '2026-03-01T09:30:00.123Z',
      updated_at: '2026-03-01T09:31:00.000Z',
    });
    expect(Opportunity.safeParse(unify(record, undefined)).success).toBe(true);
  });

  it.each([
    ['JPY', 1500, 1500],
    ['KWD', 1001, 1.001],
    ['USD', 29, 0.29],
    [null, 100, 1],
  ])('unscales %s', (value_currency, value, amount) => {
    expect(unify({ ...record, value, value_currency }, undefined).amount).toBe(amount);
  });

  it('says null, not zero or nothing, where Close has no value', () => {
    expect(unify({ id: 'oppo_1' }, undefined)).toMatchObject({
      name: null,
      amount: null,
      account: null,
      contact: [],
      status: null,
      close_date: null,
    });
  });

  it.each([
    ['Only a name', { name: 'Only a name', description: null }],
    ['Name\nnext line', { name: 'Name', description: 'next line' }],
    ['Name\r\n\r\nwindows', { name: 'Name', description: 'windows' }],
    [`[ref:${JOB_ID}]`, { name: null, description: null }],
    [`Name\n\n[ref:${JOB_ID}]`, { name: 'Name', description: null }],
    ['Name\n\nsee [ref:42]', { name: 'Name', description: 'see [ref:42]' }],
    ['', { name: null, description: null }],
    [null, { name: null, description: null }],
  ])('reads the note %j', (note, expected) => expect(readNote(note)).toEqual(expected));
});

/** What Close would answer to a create. */
function store(body: Record<string, unknown>, currency: string) {
  const stages = closeFacts().stages;
  const stage = stages.find(({ id }) => id === body.status_id) ?? stages[0];
  return {
    id: 'oppo_1',
    contact_id: null,
    note: null,
    value: null,
    date_won: null,
    date_created: '2026-03-01T09:30:00.123000+00:00',
    lead_name: 'Lead',
    value_currency: currency,
    ...body,
    status_id: stage?.id,
    status_label: stage?.name,
    status_type: stage?.status === 'open' ? 'active' : stage?.status,
  };
}

const word = fc
  .string({ minLength: 1, maxLength: 12 })
  .filter((text) => text.trim() !== '' && !/[\n\r\u2028\u2029\0]/.test(text));
const request = fc.record(
  {
    name: word,
    description: fc.array(word, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
    amount: fc.integer({ min: 0, max: 999_999_999 }).map((n) => n / 1000),
    close_date: fc.constantFrom('2026-04-30', '2026-12-31T23:59:59-08:00'),
    created_at: fc.constantFrom('2025-01-02', '2025-01-02T03:04:05.678+02:00'),
    contact: fc
      .uniqueArray(fc.constantFrom('cont_1', 'cont_2', 'cont_3'), { minLength: 1 })
      .map((ids) => ids.map((id) => ({ id }))),
    stage: fc.constantFrom({ id: 'stat_1' }, { name: 'won' }, { name: 'Churned' }),
    custom_fields: fc.dictionary(
      fc.constantFrom('cf_ref', 'cf_products', 'custom.cf_seats'),
      fc.oneof(word, fc.integer(), fc.array(word)),
    ),
    currency: fc.constantFrom('EUR', 'JPY'),
    tags: fc.array(fc.record({ name: word }), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);

it('what is asked reads back, or is named in warnings, unsupported or failures', () => {
  fc.assert(
    fc.property(request, fc.constantFrom('EUR', 'JPY', 'KWD'), fc.boolean(), (fields, currency, marked) => {
      const marker = marked ? ({ kind: 'text', field: 'note', value: JOB_ID } as const) : undefined;
      const facts = closeFacts({ currency: { mode: 'organisation', code: currency } });
      const result = planClose(fields, { facts, marker });
      const asked = OpportunityInput.parse(fields);
      if (!result.ok) {
        // The only thing wrong such a request can have: decimals the currency has not.
        expect(result.failures.map(({ pointer }) => pointer)).toEqual(['/amount']);
        expect(asked.amount).not.toBe(Number(asked.amount?.toFixed(minorDigits(currency))));
        return;
      }
      const read = unify(store(bodyOf(result.plan), currency), facts);
      const said = [...result.warnings, ...result.unsupported].map(({ pointer }) => pointer);
      const isSaid = (pointer: string) => said.some((known) => known?.startsWith(pointer));

      expect(read.amount ?? undefined).toBe(asked.amount);
      if (asked.name !== undefined) expect(read.name).toBe(asked.name.trim());
      if (asked.description !== undefined && !isSaid('/description'))
        expect(read.description).toBe(asked.description);
      expect(read.close_date ?? undefined).toBe(asked.close_date?.slice(0, 10));
      if (asked.created_at !== undefined)
        expect(Date.parse(read.created_at ?? '')).toBe(Date.parse(asked.created_at));
      asked.contact?.forEach(({ id }, index) => {
        if (!isSaid(`/contact/${index}`)) expect(read.contact).toContainEqual({ id });
      });
      if (asked.stage?.id !== undefined) expect(read.stage?.id).toBe(asked.stage.id);
      if (asked.stage?.name !== undefined)
        expect(read.stage?.name?.toLowerCase()).toBe(asked.stage.name.toLowerCase());
      const custom = Object.entries(asked.custom_fields ?? {}).map(([key, value]) => [
        key.replace('custom.', ''),
        value,
      ]);
      expect(read.custom_fields).toEqual(Object.fromEntries(custom));
      if (asked.currency !== undefined && !isSaid('/currency')) expect(read.currency).toBe(asked.currency);
      if (asked.tags !== undefined) expect(isSaid('/tags')).toBe(true);
    }),
    { numRuns: 500 },
  );
});
