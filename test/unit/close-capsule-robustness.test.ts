import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { capsule } from '../../shared/providers/capsule/descriptor.ts';
import { close } from '../../shared/providers/close/descriptor.ts';
import type { Marker } from '../../shared/providers/port.ts';
import { capsuleFacts } from './capsule-support.ts';
import { closeFacts, JOB_ID } from './close-support.ts';

const KEYS = [
  'lead_id',
  'note',
  'value',
  'date_created',
  'status_id',
  'pipeline_id',
  'custom.cf_ref',
  'party',
  'milestone',
];
const MORE_KEYS = [
  'pipeline',
  'fields',
  'tags',
  'name',
  'description',
  'opportunity',
  'id',
  'definition',
  'amount',
];
const leaf = fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.boolean(), fc.constant(null));
const key = fc.constantFrom(...KEYS, ...MORE_KEYS);
const level1 = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(key, leaf, { maxKeys: 3 }));
const json = fc.oneof(level1, fc.array(level1, { maxLength: 3 }), fc.dictionary(key, level1, { maxKeys: 3 }));

const request = fc.record(
  {
    account: fc.record({ id: fc.constantFrom('1', 'lead_x', '99999999999999999') }),
    owner: fc.record({ id: fc.constantFrom('1', 'user_x') }),
    name: fc.string({ minLength: 1, maxLength: 9 }),
    amount: fc.double({ min: 0, max: 1e14, noNaN: true }),
    close_date: fc.constantFrom('2026-04-30', '2026-04-30T12:00+14:00'),
    created_at: fc.constant('2026-04-30T12:00:59.123456789-00:00'),
    custom_fields: fc.dictionary(
      fc.constantFrom('901', '905', '906', 'cf_ref', 'Seats', 'X__c', 'a~/b'),
      json,
      { maxKeys: 3 },
    ),
    contact: fc.array(fc.record({ id: fc.constantFrom('1', '2', 'x') }), { maxLength: 3 }),
    stage: fc.record(
      { id: fc.constantFrom('13', 'stat_1'), name: fc.constantFrom('Won', 'x') },
      { requiredKeys: [] },
    ),
    currency: fc.constantFrom('EUR', 'KWD'),
    tags: fc.array(
      fc.record({ id: fc.constantFrom('1', 'x'), name: fc.constant('t') }, { requiredKeys: [] }),
      { maxLength: 2 },
    ),
    remote_data: fc.dictionary(key, json, { maxKeys: 4 }),
  },
  { requiredKeys: [] },
);

const TARGETS = [
  { provider: close, facts: closeFacts(), custom: 'cf_ref', text: 'note' },
  { provider: capsule, facts: capsuleFacts(), custom: '901', text: 'description' },
] as const;

describe.each(TARGETS)('$provider.label', ({ provider, facts, custom, text }) => {
  it('plans or refuses whatever is asked, changes no input, and never loses the marker', () => {
    fc.assert(
      fc.property(request, fc.boolean(), fc.constantFrom('custom_field', 'text'), (fields, isKnown, kind) => {
        const marker: Marker = { kind, field: kind === 'text' ? text : custom, value: JOB_ID };
        const opportunity = OpportunityInput.parse(fields);
        const before = JSON.stringify(opportunity);
        const result = provider.plan({
          opportunity,
          settings: {},
          facts: isKnown ? facts : undefined,
          remoteQuery: {},
          marker,
        });
        expect(JSON.stringify(opportunity)).toBe(before);
        if (result.ok) expect(JSON.stringify(result.plan.create.body)).toContain(JOB_ID);
        else for (const failure of result.failures) expect(failure.pointer).toMatch(/^\//);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives every answer a meaning, and no 5xx the meaning that nothing was written', () => {
    const body = fc.oneof(
      json,
      fc.dictionary(fc.constantFrom('errors', 'field-errors', 'error', 'message'), json),
    );
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), body, (status, answered) => {
        const answer = { kind: 'answered', status, headers: {}, body: answered, receivedAtMs: 0 } as const;
        const outcome = provider.classify(answer, { method: 'POST', path: '/', body: {}, purpose: 'create' });
        if (outcome.kind !== 'written') expect(outcome.message).toMatch(/^(?!.*\[object).+/s);
        if (status >= 500) expect(outcome.kind).toBe('ambiguous');
      }),
      { numRuns: 1000 },
    );
  });
});
