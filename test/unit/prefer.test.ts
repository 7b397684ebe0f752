import { describe, expect, it } from 'vitest';
import { decideWait, parsePrefer } from '../../api/prefer.ts';

describe('parsePrefer', () => {
  it.each([
    [undefined, undefined, false],
    ['', undefined, false],
    ['wait=10', 10, false],
    ['WAIT = 10', 10, false],
    ['wait="10"', 10, false],
    ['wait=100', 60, false],
    ['wait=99999999999', 60, false],
    ['wait=0', 0, false],
    ['wait=-1', undefined, false],
    ['wait=1.5', undefined, false],
    ['wait=abc', undefined, false],
    ['wait', undefined, false],
    ['respond-async', undefined, true],
    ['Respond-Async; x=1, wait=5; y', 5, true],
    ['return=minimal, wait=5', 5, false],
    ['wait=5, wait=9', 5, false],
    ['foo="a, wait=3", wait=7', 7, false],
    ['"unclosed, wait=3', undefined, false],
    [',,;;==', undefined, false],
  ])('%j', (header, waitSeconds, respondAsync) => {
    expect(parsePrefer(header)).toEqual({ waitSeconds, respondAsync });
  });

  it('reads several headers as one list', () => {
    expect(parsePrefer(['respond-async', 'wait=4'])).toEqual({ waitSeconds: 4, respondAsync: true });
  });
});

describe('decideWait', () => {
  it.each([
    ['wait=10', { seconds: 10, applied: 'wait=10' }],
    ['respond-async, wait=10', { seconds: 10, applied: 'wait=10' }],
    ['respond-async', { seconds: 0, applied: 'respond-async' }],
    ['wait=x', { seconds: 30, applied: undefined }],
    [undefined, { seconds: 30, applied: undefined }],
  ])('%j with a default of 30 s', (header, decision) => {
    expect(decideWait(parsePrefer(header), 30)).toEqual(decision);
  });
});
