import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeRemoteData } from '../../shared/providers/merge-remote-data.ts';

describe('mergeRemoteData', () => {
  it('merges objects key by key and lets the caller win', () => {
    const body = { opportunity: { name: 'A', value: { amount: 1, currency: 'EUR' } } };
    const remote = { opportunity: { value: { amount: 2 }, probability: 50 } };
    expect(mergeRemoteData(body, remote)).toEqual({
      body: { opportunity: { name: 'A', value: { amount: 2, currency: 'EUR' }, probability: 50 } },
      refused: [],
    });
  });

  it('replaces arrays and accepts null', () => {
    expect(mergeRemoteData({ a: [1, 2], b: 'x' }, { a: [3], b: null }).body).toEqual({ a: [3], b: null });
  });

  it('leaves both arguments as they were', () => {
    const body = { a: { b: 1 } };
    const remote = { a: { c: 2 } };
    mergeRemoteData(body, remote);
    expect([body, remote]).toEqual([{ a: { b: 1 } }, { a: { c: 2 } }]);
  });

  it('replaces a field written in another case only where the provider ignores case', () => {
    expect(mergeRemoteData({ StageName: 'A' }, { stagename: 'B' }, { caseInsensitive: true }).body).toEqual({
      stagename: 'B',
    });
    expect(mergeRemoteData({ StageName: 'A' }, { stagename: 'B' }).body).toEqual({
      StageName: 'A',
      stagename: 'B',
    });
  });

  it.each([
    { remote: { key__c: 'stolen' }, pointer: '/remote_data/key__c' },
    { remote: { KEY__C: null }, pointer: '/remote_data/KEY__C' },
  ])('never lets $pointer override the marker', ({ remote, pointer }) => {
    const options = { protectedPaths: [['Key__c']], caseInsensitive: true };
    expect(mergeRemoteData({ Key__c: 'job' }, remote, options)).toEqual({
      body: { Key__c: 'job' },
      refused: [pointer],
    });
  });

  it('never lets something above the marker be replaced', () => {
    const options = { protectedPaths: [['opportunity', 'note']] };
    const body = { opportunity: { note: 'job' } };
    expect(mergeRemoteData(body, { opportunity: null }, options)).toEqual({
      body,
      refused: ['/remote_data/opportunity'],
    });
    expect(mergeRemoteData(body, { opportunity: { note: 'x', name: 'n' } }, options)).toEqual({
      body: { opportunity: { note: 'job', name: 'n' } },
      refused: ['/remote_data/opportunity/note'],
    });
  });

  it('cannot reach a prototype', () => {
    const remote: Record<string, unknown> = JSON.parse('{"__proto__":{"polluted":1},"a":{"constructor":1}}');
    const { body } = mergeRemoteData({ a: {} }, remote);
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect(Object.keys(body)).toEqual(['a']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('keeps every mapped key that the caller does not name, and every value the caller names', () => {
    const object = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 0 }));
    fc.assert(
      fc.property(object, object, (body, remote) => {
        const merged = mergeRemoteData(body, remote).body;
        for (const [key, value] of Object.entries(remote)) {
          if (!['constructor', 'prototype', '__proto__'].includes(key)) expect(merged[key]).toEqual(value);
        }
        for (const [key, value] of Object.entries(body)) {
          if (!Object.hasOwn(remote, key)) expect(merged[key]).toEqual(value);
        }
      }),
    );
  });
});
