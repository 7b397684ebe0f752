import { expect, it } from 'vitest';
import { boundBody } from '../../shared/providers/bound-failure.ts';
import { descriptors } from '../../shared/providers/descriptors.ts';

const LONG = 'x'.repeat(200_000);
const POST = { method: 'POST', path: '/', purpose: 'create' } as const;

it.each([
  ['close', { error: LONG }],
  ['close', { 'field-errors': { note: LONG, value: LONG } }],
  ['capsule', { message: LONG, errors: [{ message: LONG, resource: 'opportunity', field: 'name' }] }],
  ['salesforce', [{ errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: LONG, fields: ['Name'] }]],
] as const)('of what %s says at length the beginning is kept', (provider, body) => {
  const answer = { kind: 'answered', status: 400, headers: {}, body, receivedAtMs: 0 } as const;
  const outcome = descriptors[provider].classify(answer, POST);
  expect(outcome.kind).toBe('permanent');
  expect(JSON.stringify(outcome).length).toBeLessThan(25_000);
  expect(JSON.stringify(outcome)).toContain('characters)');
});

it('what is short is kept as it came', () => {
  const body = { error: 'No such lead.' };
  expect(boundBody(body)).toBe(body);
  expect(boundBody(undefined)).toBeUndefined();
});
