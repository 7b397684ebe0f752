/**
 * Exact money: decimal text and BigInt, never float arithmetic. A JSON number is taken for the decimal text
 * it prints as, which is exactly what was sent as long as it has at most 15 significant digits.
 */

/**
 * Currencies whose minor unit is not 1/100, with the digits after the decimal point.
 * @see https://www.six-group.com/en/products-services/financial-information/data-standards.html ISO 4217, list one
 */
const MINOR_DIGITS: Readonly<Record<string, number>> = {
  ...digitsOf(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...digitsOf(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...digitsOf(4, 'CLF UYW'),
};

function digitsOf(digits: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(' ').map((code) => [code, digits]));
}

/** Most minor digits any ISO 4217 currency has. */
export const MINOR_DIGITS_MAX = 4;

/** Digits after the decimal point of a currency in major units; 2 for a code that is not listed. */
export function minorDigits(currency: string): number {
  const code = currency.toUpperCase();
  return Object.hasOwn(MINOR_DIGITS, code) ? (MINOR_DIGITS[code] ?? 2) : 2;
}

/**
 * A finite number as plain decimal text, without exponent: 1e21 → "1000000000000000000000", 1e-7 → "0.0000001".
 * @throws RangeError for NaN and infinities, which have no decimal text.
 */
export function decimalText(n: number): string {
  if (!Number.isFinite(n)) throw new RangeError(`${n} has no decimal text`);
  const text = String(n);
  const [mantissa = '', exponent] = text.split('e');
  return exponent === undefined ? text : shiftPoint(mantissa, Number(exponent));
}

/** Moves the decimal point of plain decimal text by `places` (positive: to the right), in text only. */
function shiftPoint(text: string, places: number): string {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const point = whole.length + places;
  const digits = whole + fraction;
  const padded = digits.padStart(digits.length + Math.max(0, 1 - point), '0');
  const at = Math.max(point, 1);
  const left = padded
    .slice(0, at)
    .padEnd(at, '0')
    .replace(/^0+(?=\d)/, '');
  const right = padded.slice(at).replace(/0+$/, '');
  const plain = right === '' ? left : `${left}.${right}`;
  return negative && /[1-9]/.test(plain) ? `-${plain}` : plain;
}

/**
 * `minor` is a whole number of minor units. `exact` is false when the amount has more digits than the
 * currency (then `minor` is rounded half away from zero), or when a JSON number cannot hold the result.
 * `ok` is false, and `minor` 0, for an amount that is not finite.
 */
export type MinorUnits = { ok: boolean; minor: number; exact: boolean };

/** An amount in major units as minor units of a currency with `digits` decimals. */
export function toMinorUnits(amount: number, digits: number): MinorUnits {
  if (!Number.isFinite(amount)) return { ok: false, minor: 0, exact: false };
  const shifted = shiftPoint(decimalText(amount), digits);
  const [whole = '0', rest = ''] = shifted.split('.');
  const negative = whole.startsWith('-');
  const truncated = BigInt(negative ? whole.slice(1) : whole);
  const rounded = /^[5-9]/.test(rest) ? truncated + 1n : truncated;
  const minor = Number(negative ? -rounded : rounded);
  return { ok: true, minor, exact: rest === '' && decimalText(minor) === shifted };
}

/** Minor units as the amount in major units; the inverse of an exact {@link toMinorUnits}. */
export function fromMinorUnits(minor: number, digits: number): number {
  return Number(shiftPoint(decimalText(minor), -digits));
}
