import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalText, fromMinorUnits, minorDigits, toMinorUnits } from '../../shared/domain/money.ts';

describe('decimalText', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [1250.5, '1250.5'],
    [0.1, '0.1'],
    [1e-7, '0.0000001'],
    [1.5e-7, '0.00000015'],
    [1e21, '1000000000000000000000'],
    [1.25e21, '1250000000000000000000'],
    [123456789012345, '123456789012345'],
    [-1.5e-8, '-0.000000015'],
    [999999999999999, '999999999999999'],
  ])('prints %d without an exponent', (n, text) => expect(decimalText(n)).toBe(text));

  it('refuses what has no decimal text', () => {
    for (const n of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => decimalText(n)).toThrow(RangeError);
  });

  it('prints every double so that it reads back as the same double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        const text = decimalText(n);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(n === 0 ? 0 : n);
      }),
    );
  });
});

describe('minorDigits', () => {
  it.each([
    ['EUR', 2],
    ['USD', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['XAF', 0],
    ['KWD', 3],
    ['TND', 3],
    ['CLF', 4],
    ['ZZZ', 2],
    ['constructor', 2],
  ])('knows %s', (currency, digits) => expect(minorDigits(currency)).toBe(digits));
});

describe('toMinorUnits', () => {
  it.each([
    [1250.5, 2, 125050],
    [0, 2, 0],
    [0.29, 2, 29],
    [1.15, 2, 115],
    [4.35, 2, 435],
    [19.99, 2, 1999],
    [1000000.01, 2, 100000001],
    [1500, 0, 1500],
    [1.001, 3, 1001],
    [9999999999999.99, 2, 999999999999999],
    [999999999999999, 2, 99999999999999900],
    [1e-7, 7, 1],
  ])('%d with %d digits is %d, exactly', (amount, digits, minor) => {
    expect(toMinorUnits(amount, digits)).toEqual({ ok: true, minor, exact: true });
  });

  it.each([
    [10.005, 2, 1001],
    [10.004, 2, 1000],
    [0.5, 0, 1],
    [1.0005, 3, 1001],
  ])('%d does not fit %d digits', (amount, digits, minor) => {
    expect(toMinorUnits(amount, digits)).toEqual({ ok: true, minor, exact: false });
  });

  it('refuses what is not a number', () => {
    expect(toMinorUnits(Number.NaN, 2)).toEqual({ ok: false, minor: 0, exact: false });
  });

  it('returns every amount of up to 15 significant digits unchanged, whatever the currency', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        fc.constantFrom(0, 2, 3, 4),
        (minor, digits) => {
          const amount = fromMinorUnits(minor, digits);
          expect(toMinorUnits(amount, digits)).toEqual({ ok: true, minor, exact: true });
        },
      ),
    );
  });

  it('puts the exact digits on the wire even above 2^53', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999_999_999 }), (amount) => {
        expect(JSON.stringify(toMinorUnits(amount, 2).minor)).toBe(`${amount}00`);
      }),
    );
  });
});
