import { describe, expect, it } from 'vitest';
import { isErrorCode } from '../../shared/errors.ts';
import { capsule } from '../../shared/providers/capsule/descriptor.ts';
import type { AnsweredCall, ProviderRequest } from '../../shared/providers/port.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const create: ProviderRequest = { method: 'POST', path: '/api/v2/opportunities', purpose: 'create' };
const addParty: ProviderRequest = {
  method: 'POST',
  path: '/api/v2/opportunities/7/parties/2',
  purpose: 'follow_up',
};

function answer(status: number, body?: unknown, headers: Record<string, string> = {}): AnsweredCall {
  return { kind: 'answered', status, headers, body, receivedAtMs: NOW };
}

describe('the failure table', () => {
  it.each(capsule.failureTable.map((row) => [row.id, row] as const))('%s', (id, row) => {
    expect(isErrorCode(row.code)).toBe(true);
    expect(row.source).toMatch(/^https:\/\//);
    const { status, body, headers } = row.sample;
    const outcome = capsule.classify(answer(status, body, headers), create);
    expect(outcome).toMatchObject({ kind: row.outcome, code: row.code, row: id, httpStatus: status });
  });

  it('has no id twice', () => {
    const ids = capsule.failureTable.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('classify', () => {
  it('takes a 201 with a wrapped record for written', () => {
    const body = { opportunity: { id: 9001234 } };
    expect(capsule.classify(answer(201, body), create)).toEqual({
      kind: 'written',
      remoteId: '9001234',
      answer: body,
      httpStatus: 201,
    });
  });

  it.each([[''], ['<html>'], [{}], [{ id: 1 }], [{ opportunity: {} }], [undefined]])(
    'does not believe a 201 with %j',
    (body) => {
      expect(capsule.classify(answer(201, body), create).kind).toBe('ambiguous');
    },
  );

  it.each([500, 502, 503, 504])('cannot tell from %d whether a create was done', (status) => {
    expect(capsule.classify(answer(status), create)).toMatchObject({
      kind: 'ambiguous',
      code: 'provider_error',
    });
    expect(capsule.classify(answer(status), addParty).kind).toBe('retryable');
  });

  it.each([
    [204, undefined],
    [422, { message: 'party is already a contact for this opportunity' }],
    [
      422,
      { message: 'Validation Failed', errors: [{ message: 'party is already related to this opportunity' }] },
    ],
  ])('takes a contact for added: %d %j', (status, body) => {
    expect(capsule.classify(answer(status, body), addParty)).toMatchObject({
      kind: 'written',
      remoteId: '7',
    });
  });

  it.each([
    ['party', 'opportunity', '/account/id'],
    ['milestone', 'opportunity', '/stage/id'],
    ['name', 'opportunity', '/name'],
    ['value.currency', 'opportunity', '/currency'],
    ['value', 'opportunity', '/amount'],
    ['expectedCloseOn', 'opportunity', '/close_date'],
    ['owner', 'opportunity', '/owner/id'],
    ['field.value', 'opportunity', '/custom_fields'],
    ['id', 'party', '/account/id'],
    ['probability', 'opportunity', '/remote_data/probability'],
    [undefined, 'opportunity', '/name'],
    [undefined, undefined, '/name'],
  ])('points from %s of %s at %s', (field, resource, pointer) => {
    const body = { message: 'Validation Failed', errors: [{ message: 'name is required', resource, field }] };
    expect(capsule.classify(answer(422, body), create)).toMatchObject({
      fields: [{ pointer, message: 'name is required' }],
    });
  });

  it('says everything in one message', () => {
    const errors = [
      { message: 'party is required', resource: 'opportunity', field: 'party' },
      { message: 'too long', resource: 'opportunity', field: 'name' },
    ];
    expect(capsule.classify(answer(422, { message: 'Validation Failed', errors }), create)).toMatchObject({
      message: 'opportunity.party: party is required; opportunity.name: too long',
    });
  });
});

describe('limits', () => {
  const reset = String(NOW / 1000 + 600);
  const date = (offsetMs: number) => new Date(NOW + offsetMs).toUTCString();

  it.each<[string, Record<string, string>, number | undefined]>([
    ['the same clock', { 'x-ratelimit-reset': reset, date: date(0) }, 600_000],
    ['their clock behind', { 'x-ratelimit-reset': reset, date: date(-120_000) }, 720_000],
    ['their clock ahead', { 'x-ratelimit-reset': reset, date: date(60_000) }, 540_000],
    ['no Date', { 'x-ratelimit-reset': reset }, 600_000],
    ['a delay where a moment belongs', { 'x-ratelimit-reset': '30' }, undefined],
    ['Retry-After of a proxy', { 'retry-after': '30' }, 30_000],
    ['nothing', {}, undefined],
  ])('a 429 with %s', (_, headers, waitMs) => {
    const outcome = capsule.classify(answer(429, { error: 'rate limit reached' }, headers), create);
    expect(outcome).toMatchObject({ kind: 'rate_limited', message: 'rate limit reached' });
    const limit = outcome.kind === 'rate_limited' ? outcome.limit : undefined;
    expect(limit).toEqual({ scope: 'account', ...(waitMs === undefined ? {} : { untilMs: NOW + waitMs }) });
  });

  it.each<[Record<string, string>, object]>([
    [{}, {}],
    [
      {
        'x-ratelimit-limit': '4000',
        'x-ratelimit-remaining': '3999',
        'x-ratelimit-reset': reset,
        date: date(0),
      },
      { limit: 4000, remaining: 3999, resetAtMs: NOW + 600_000 },
    ],
    [{ 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': '' }, {}],
  ])('readLimits %j', (headers, limits) => expect(capsule.readLimits(headers, NOW)).toEqual(limits));
});
