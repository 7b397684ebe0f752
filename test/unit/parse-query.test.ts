import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/app-error.ts';
import { CreateQuery, toJobOptions } from '../../shared/contract/create-query.ts';
import { nearestKey } from '../../shared/contract/nearest-key.ts';
import { parseQuery } from '../../shared/contract/parse-query.ts';
import { fingerprintOf } from '../../shared/use-cases/request-fingerprint.ts';

const ID = '62f44730-dd91-461e-bd6a-aedd9e0ad79d';
const parse = (text: string) => parseQuery(`/x?integrated_account_id=${ID}&${text}`, CreateQuery);

describe('parseQuery', () => {
  it.each([
    ['truto_exclude_fields[]=id&truto_exclude_fields[]=name', { truto_exclude_fields: ['id', 'name'] }],
    ['truto_exclude_fields=id,name', { truto_exclude_fields: ['id', 'name'] }],
    [
      'truto_exclude_fields%5B%5D=a&truto_exclude_fields%5B%5D=b,c',
      { truto_exclude_fields: ['a', 'b', 'c'] },
    ],
    ['truto_exclude_fields=a&truto_exclude_fields=b', { truto_exclude_fields: ['a', 'b'] }],
    ['truto_exclude_fields=', { truto_exclude_fields: [] }],
    ['remote_query[foo]=bar', { remote_query: { foo: 'bar' } }],
    ['remote_query[foo][bar][baz]=1', { remote_query: { foo: { bar: { baz: '1' } } } }],
    ['remote_query[ids][]=1&remote_query[ids][]=2', { remote_query: { ids: ['1', '2'] } }],
    ['remote_query[a.b]=1', { remote_query: { 'a.b': '1' } }],
    ['remote_query[q]=a%26b%3Dc+d', { remote_query: { q: 'a&b=c d' } }],
    ['dry_run=1', { dry_run: true }],
    ['truto_ignore_remote_data=false', { truto_ignore_remote_data: false }],
    ['&&', {}],
  ])('%s', (text, expected) => {
    expect(structuredClone(parse(text))).toEqual({ integrated_account_id: ID, ...expected });
  });

  it.each(['foo=1', 'dry_run', 'dry_run=', 'remote_query=1', 'a[constructor]=1', '[]=1', 'a]=1', 'a[[b]]=1'])(
    'refuses %s',
    (text) => {
      expect(() => parse(text)).toThrow(AppError);
    },
  );

  it('does not care about the case of an id', () => {
    expect(
      parseQuery(`/x?integrated_account_id=${ID.toUpperCase()}`, CreateQuery).integrated_account_id,
    ).toBe(ID);
  });
});

describe('nearestKey', () => {
  const known = ['account', 'name', 'amount', 'owner', 'close_date', 'contact', 'stage', 'tags'];
  it.each([
    ['acount', 'account'],
    ['closeDate', 'close_date'],
    ['Close-Date', 'close_date'],
    ['contacts', 'contact'],
    ['owner_id', 'owner'],
    ['satge', 'stage'],
    ['tag', 'tags'],
    ['probability', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%s', (key, nearest) => {
    expect(nearestKey(key, known)).toBe(nearest);
  });
});

describe('fingerprintOf', () => {
  const query = { response_format: 'unified' as const, ...toJobOptions({}) };
  it('does not depend on the order of keys', () => {
    const one = fingerprintOf({ query, body: { a: 1, b: { c: 2, d: [1] } } }, undefined);
    expect(fingerprintOf({ query, body: { b: { d: [1], c: 2 }, a: 1 } }, undefined)).toBe(one);
  });

  it('depends on everything else', () => {
    const prints = [
      fingerprintOf({ query, body: { a: 1 } }, undefined),
      fingerprintOf({ query, body: { a: '1' } }, undefined),
      fingerprintOf({ query, body: { a: [1] } }, undefined),
      fingerprintOf({ query: { ...query, on_unsupported: 'warn' }, body: { a: 1 } }, undefined),
      fingerprintOf({ query, body: { a: 1 } }, 'https://example.com'),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });
});
