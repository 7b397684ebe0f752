import { describe, expect, it } from 'vitest';
import { parseHeaderNumber, parseRetryAfter } from '../../shared/providers/retry-after.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');

describe('parseRetryAfter', () => {
  it.each([
    ['120', 120_000],
    [' 5 ', 5_000],
    ['0', 0],
    ['1.25', 1_250],
    ['0.0001', 1],
    ['Sun, 01 Mar 2026 10:00:30 GMT', 30_000],
    ['Sunday, 01-Mar-26 10:00:30 GMT', 30_000],
    ['Sun Mar  1 10:00:30 2026', 30_000],
    ['Sun, 01 Mar 2026 09:00:00 GMT', 0],
  ])('reads %s', (value, ms) => expect(parseRetryAfter(value, NOW)).toBe(ms));

  it.each([undefined, '', 'soon', '-5', '1e3', '99999999999', '2026-03-01', 'Sun, tomorrow'])(
    'gives nothing for %s',
    (value) => expect(parseRetryAfter(value, NOW)).toBeUndefined(),
  );
});

describe('parseHeaderNumber', () => {
  it.each([
    ['60', 60],
    [' 0.7 ', 0.7],
    ['60, 60;w=1', undefined],
    ['', undefined],
    ['NaN', undefined],
    [undefined, undefined],
  ])('reads %s as %s', (value, n) => expect(parseHeaderNumber(value)).toBe(n));
});
