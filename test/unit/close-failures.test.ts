import { describe, expect, it } from 'vitest';
import { isErrorCode } from '../../shared/errors.ts';
import { close } from '../../shared/providers/close/descriptor.ts';
import type { AnsweredCall, ProviderRequest } from '../../shared/providers/port.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const create: ProviderRequest = {
  method: 'POST',
  path: '/api/v1/opportunity/',
  body: { note: 'N' },
  purpose: 'create',
};

function answer(status: number, body?: unknown, headers: Record<string, string> = {}): AnsweredCall {
  return { kind: 'answered', status, headers, body, receivedAtMs: NOW };
}

function fieldsOf(body: unknown, request = create) {
  const outcome = close.classify(answer(400, body), request);
  return outcome.kind === 'permanent' ? outcome.fields : undefined;
}

describe('the failure table', () => {
  it.each(close.failureTable.map((row) => [row.id, row] as const))('%s', (id, row) => {
    expect(isErrorCode(row.code)).toBe(true);
    expect(row.source).toMatch(/^https:\/\//);
    const { status, body, headers } = row.sample;
    const outcome = close.classify(answer(status, body, headers), create);
    expect(outcome).toMatchObject({ kind: row.outcome, code: row.code, row: id, httpStatus: status });
    expect(JSON.stringify(outcome)).not.toContain('[object Object]');
  });

  it('has no id twice', () => {
    const ids = close.failureTable.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('classify', () => {
  it('takes a 200 with a record for written', () => {
    const body = { id: 'oppo_1', note: null };
    expect(close.classify(answer(200, body), create)).toEqual({
      kind: 'written',
      remoteId: 'oppo_1',
      answer: body,
      httpStatus: 200,
    });
  });

  it.each([[''], ['<html>'], [{}], [{ id: '' }], [undefined], [null]])(
    'does not believe a 200 with %j',
    (body) => {
      expect(close.classify(answer(200, body), create).kind).toBe('ambiguous');
    },
  );

  it.each([500, 501, 502, 503, 504, 520, 599])('cannot tell from %d whether a create was done', (status) => {
    expect(close.classify(answer(status, '<html/>'), create)).toMatchObject({
      kind: 'ambiguous',
      code: 'provider_error',
    });
  });

  it('may repeat a read after the same answer', () => {
    const read: ProviderRequest = { method: 'GET', path: '/api/v1/me/', purpose: 'check' };
    expect(close.classify(answer(503), read)).toMatchObject({
      kind: 'retryable',
      code: 'provider_unavailable',
    });
  });

  it('does not quote a page of HTML', () => {
    const outcome = close.classify(answer(502, '<html><body>Bad gateway</body></html>'), create);
    expect(outcome).toMatchObject({ message: expect.stringContaining('Close answered 502') });
  });
});

describe('field errors', () => {
  it.each([
    ['lead', '/account/id'],
    ['lead_id', '/account/id'],
    ['user', '/owner/id'],
    ['status', '/stage/id'],
    ['contact', '/contact/0/id'],
    ['value', '/amount'],
    ['date_won', '/close_date'],
    ['date_created', '/created_at'],
    ['note', '/name'],
    ['custom.cf_x', '/custom_fields/cf_x'],
    ['cf_x', '/custom_fields/cf_x'],
    ['pipeline_id', '/remote_data/pipeline_id'],
    ['confidence', '/remote_data/confidence'],
    ['a/b', '/remote_data/a~1b'],
  ])('%s points at %s', (field, pointer) => {
    expect(fieldsOf({ errors: [], 'field-errors': { [field]: 'Object does not exist.' } })).toEqual([
      { pointer, code: 'provider_validation', message: `${field}: Object does not exist.` },
    ]);
  });

  it('points at the description when the note has one', () => {
    const request = { ...create, body: { note: 'N\n\ntext' } };
    expect(fieldsOf({ 'field-errors': { note: 'too long' } }, request)?.[0]?.pointer).toBe('/description');
  });

  it('flattens what is nested and says it all in the message', () => {
    const body = {
      'field-errors': { attachments: { errors: { '1': { url: 'bad' }, '2': ['a', 'b'] } }, lead: 'gone' },
    };
    expect(fieldsOf(body)?.map(({ message }) => message)).toEqual([
      'attachments.1.url: bad',
      'attachments.2: a; b',
      'lead: gone',
    ]);
    expect(close.classify(answer(400, body), create)).toMatchObject({
      message: 'attachments.1.url: bad; attachments.2: a; b; lead: gone',
    });
  });
});

describe('429', () => {
  const hit = (headers: Record<string, string>, body?: unknown) => {
    const outcome = close.classify(answer(429, body, headers), create);
    return outcome.kind === 'rate_limited' ? outcome.limit : undefined;
  };

  it.each<[string, Record<string, string>, number | undefined]>([
    ['commas', { ratelimit: 'limit=100, remaining=0, reset=5' }, 5_000],
    [
      'semicolons and decimals',
      { ratelimit: 'limit=240; remaining=0; reset=1.25', 'retry-after': '2' },
      1_250,
    ],
    ['a hidden limit', { ratelimit: 'limit=240; remaining=200; reset=1', 'retry-after': '7' }, 7_000],
    ['Retry-After only', { 'retry-after': '3' }, 3_000],
    ['Retry-After as a date', { 'retry-after': 'Sun, 01 Mar 2026 10:00:09 GMT' }, 9_000],
    ['the proxy only', { 'ratelimit-reset': '4' }, 4_000],
    ['x- headers of the proxy', { 'x-ratelimit-limit': '60, 60;w=1', 'x-ratelimit-reset': '1' }, 1_000],
    [
      'the old names',
      { 'x-rate-limit-limit': '60', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '0.4' },
      400,
    ],
    ['nothing', {}, undefined],
    ['nonsense', { ratelimit: 'reset=soon', 'retry-after': 'later' }, undefined],
    ['a moment where seconds belong', { 'x-ratelimit-reset': '1772362800' }, undefined],
  ])('%s', (_, headers, waitMs) => {
    expect(hit(headers)).toEqual({
      scope: 'account',
      ...(waitMs === undefined ? {} : { untilMs: NOW + waitMs }),
    });
  });

  it('never prints an error object as such', () => {
    const outcome = close.classify(
      answer(429, { error: { message: 'slow down', rate_endpoint_group: 1e20 } }),
      create,
    );
    expect(outcome).toMatchObject({ message: 'slow down' });
    expect(close.classify(answer(429, { error: { rate_reset: 3 } }), create)).toMatchObject({
      message: '{"rate_reset":3}',
    });
  });
});

describe('readLimits', () => {
  it.each<[Record<string, string>, object]>([
    [{}, {}],
    [
      { ratelimit: 'limit=240; remaining=239; reset=2' },
      { limit: 240, remaining: 239, resetAtMs: NOW + 2000 },
    ],
    [
      { ratelimit: 'limit=100, remaining=50, reset=0.5' },
      { limit: 100, remaining: 50, resetAtMs: NOW + 500 },
    ],
    [
      { 'x-ratelimit-limit': '60, 60;w=1, 100;w=1', 'x-ratelimit-remaining': '59', 'x-ratelimit-reset': '1' },
      { limit: 60, windowMs: 1000, remaining: 59, resetAtMs: NOW + 1000 },
    ],
    [
      { 'ratelimit-limit': '60', 'ratelimit-remaining': '1' },
      { limit: 60, remaining: 1 },
    ],
    [
      { 'x-rate-limit-limit': '40', 'x-rate-limit-remaining': '39', 'x-rate-limit-reset': '12.5' },
      { limit: 40, remaining: 39, resetAtMs: NOW + 12_500 },
    ],
    [
      {
        ratelimit: 'limit=240; remaining=239; reset=2',
        'x-ratelimit-limit': '60, 60;w=1, 100;w=1',
        'x-ratelimit-remaining': '59',
        'x-ratelimit-reset': '1',
        'ratelimit-limit': '60',
        'ratelimit-remaining': '59',
        'ratelimit-reset': '1',
      },
      {
        limit: 240,
        remaining: 239,
        resetAtMs: NOW + 2000,
        ceiling: { limit: 60, windowMs: 1000 },
      },
    ],
    [{ ratelimit: 'limit=many; remaining=; reset=-1' }, {}],
  ])('%j', (headers, limits) => expect(close.readLimits(headers, NOW)).toEqual(limits));
});
