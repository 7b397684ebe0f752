import { describe, expect, it } from 'vitest';
import { Opportunity } from '../../shared/domain/opportunity.ts';
import { formatResult } from '../../shared/providers/format-result.ts';

const opportunity: Opportunity = {
  id: '1',
  name: 'Acme',
  owner: { id: 'u' },
  contact: [{ id: 'a' }, { id: 'b' }],
  stage: { id: 's' },
  custom_fields: { 'a.b': 1, a: { b: 2, c: 3 } },
  status: 'open',
  remote_data: { foo: 1, bar: { baz: 2, qux: 3 } },
};
const written = { opportunity, answer: { id: '1', success: true }, isWhole: true };
/** What it has none of. */
const NONE = Object.fromEntries(
  [
    'description',
    'amount',
    'currency',
    'account',
    'tags',
    'last_activity_at',
    'close_date',
    'created_at',
    'updated_at',
  ].map((field) => [field, null]),
);
const unified = { response_format: 'unified' } as const;

describe('formatResult', () => {
  it('gives the record as the provider has it, and null for what it has not', () => {
    expect(formatResult(written, unified)).toEqual({ ...NONE, ...opportunity });
  });

  it('says nothing of what a record has that was not read', () => {
    const told = { id: '1', remote_data: { id: '1' } };
    const unread = { ...told, name: null, contact: [], custom_fields: {} };
    expect(formatResult({ opportunity: unread, answer: told, isWhole: false }, unified)).toEqual(told);
  });

  it('leaves remote_data out when asked', () => {
    expect(formatResult(written, { ...unified, ignore_remote_data: true })).not.toHaveProperty('remote_data');
  });

  it('gives every field of the model in normalized, null where there is none, and no remote_data', () => {
    const result = formatResult(written, { response_format: 'normalized' });
    const fields = Object.keys(Opportunity.shape).filter((field) => field !== 'remote_data');
    expect(Object.keys(result as object).sort()).toEqual(fields.sort());
    expect(result).toMatchObject({ amount: null, account: null, tags: null, stage: { id: 's', name: null } });
  });

  it('gives the untouched answer in raw, whatever is to be excluded', () => {
    expect(formatResult(written, { response_format: 'raw', exclude_fields: ['id'] })).toBe(written.answer);
  });

  it.each([
    ['name', (r: Opportunity) => expect(r).not.toHaveProperty('name')],
    ['owner.id', (r: Opportunity) => expect(r.owner).toEqual({})],
    ['contact.id', (r: Opportunity) => expect(r.contact).toEqual([{}, {}])],
    ['remote_data.foo', (r: Opportunity) => expect(r.remote_data).toEqual({ bar: { baz: 2, qux: 3 } })],
    ['remote_data.bar.baz', (r: Opportunity) => expect(r.remote_data).toEqual({ foo: 1, bar: { qux: 3 } })],
    ['custom_fields.a.b', (r: Opportunity) => expect(r.custom_fields).toEqual({ a: { b: 2, c: 3 } })],
    ['nothing.here', (r: Opportunity) => expect(r).toEqual({ ...NONE, ...opportunity })],
    ['__proto__.x', (r: Opportunity) => expect(r).toEqual({ ...NONE, ...opportunity })],
  ])('excludes %s', (name, assert) => {
    const before = structuredClone(opportunity);
    // The unified shape, less what was excluded.
    assert(formatResult(written, { ...unified, exclude_fields: [name] }) as Opportunity);
    expect(opportunity).toEqual(before);
  });
});
