import type { FieldValue } from '../data/table.ts';
import { cannotDeserialize, type SalesforceError } from '../errors.ts';
import type { Field } from '../schema/field.ts';

export type Coerced = { value: FieldValue } | { error: SalesforceError };

/** Where a value came from decides how a bad one is reported. */
export type Source = {
  kind: 'json' | 'csv';
  /** 1-based column of a field's value in the request text, as far as known. */
  columnOf: (field: string) => number;
};

const dateText = /^(\d{4})-(\d{2})-(\d{2})$/;
// Source: REST API, Valid Date and DateTime Formats.
const datetimeText = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:?\d{2})$/;

/** A wire value as the column keeps it, or the error of the parser that refused it. */
export function coerce(field: Field, wire: unknown, source: Source): Coerced {
  if (wire === null || wire === '') return { value: null };
  const refuse = (): Coerced => ({ error: refusal(field, wire, source) });
  switch (field.type) {
    case 'boolean':
      return coerceBoolean(wire) ?? refuse();
    case 'date':
      return typeof wire === 'string' && isDate(wire) ? { value: wire } : refuse();
    case 'datetime': {
      const ms = typeof wire === 'string' ? parseDatetime(wire) : undefined;
      return ms === undefined ? refuse() : { value: ms };
    }
    case 'currency':
    case 'percent':
    case 'double':
    case 'int':
      return coerceNumber(field, wire) ?? refuse();
    default: {
      if (typeof wire !== 'string') return refuse();
      // Salesforce trims text at both ends before it is saved, but no-break and ideographic spaces stay.
      const text = wire.replace(/^[\0- ]+|[\0- ]+$/g, '');
      return { value: text === '' ? null : text };
    }
  }
}

export function isDate(text: string): boolean {
  const match = dateText.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  // Salesforce's calendar runs from 1700 to 4000. Source: SOQL and SOSL Reference, Date Formats.
  return year >= 1700 && year <= 4000 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Milliseconds of an ISO datetime with offset, cut to the second; undefined for anything else. */
export function parseDatetime(text: string): number | undefined {
  if (!datetimeText.test(text) || !isDate(text.slice(0, 10))) return undefined;
  const ms = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000) * 1000;
}

function coerceBoolean(wire: unknown): Coerced | undefined {
  if (typeof wire === 'boolean') return { value: wire };
  if (typeof wire !== 'string') return undefined;
  const text = wire.toLowerCase();
  if (text === 'true' || text === '1') return { value: true };
  return text === 'false' || text === '0' ? { value: false } : undefined;
}

function coerceNumber(field: Field, wire: unknown): Coerced | undefined {
  if (typeof wire !== 'number' && typeof wire !== 'string') return undefined;
  const number = Number(wire);
  if (!Number.isFinite(number) || (typeof wire === 'string' && wire.trim() === '')) return undefined;
  if (field.type === 'int') return Number.isInteger(number) ? { value: number } : undefined;
  // Source: SOAP API, StatusCode, NUMBER_OUTSIDE_VALID_RANGE.
  if (Math.abs(number) >= 10 ** (field.precision - field.scale)) {
    const message = `${field.label}: value outside of valid range on numeric field: ${number}`;
    return { error: { code: 'NUMBER_OUTSIDE_VALID_RANGE', message, fields: [field.name] } };
  }
  return { value: roundTo(number, field.scale) };
}

/** Half-up on the decimal text, because binary rounding turns 1.005 into 1.00. */
function roundTo(number: number, scale: number): number {
  if (Number.isInteger(number)) return number;
  const text = String(number);
  const decimals = text.includes('e') ? scale : (text.split('.')[1]?.length ?? 0);
  if (decimals <= scale) return number;
  const sign = Math.sign(number);
  return sign * Number(`${Math.round(Number(`${Math.abs(number)}e${scale}`))}e-${scale}`);
}

function refusal(field: Field, wire: unknown, source: Source): SalesforceError {
  if (source.kind === 'csv') {
    const message = `${field.label}: value not of required type: ${String(wire)}`;
    return { code: 'INVALID_TYPE_ON_FIELD_IN_RECORD', message, fields: [field.name] };
  }
  const [token, text] = describeWire(wire);
  return cannotDeserialize(typeName(field), token, text, source.columnOf(field.name));
}

function typeName({ type }: Field): string {
  return type === 'picklist' || type === 'textarea' || type === 'multipicklist' ? 'string' : type;
}

/** The words of the JSON parser for what it found. */
function describeWire(wire: unknown): [token: string, text: string] {
  if (typeof wire === 'string') return ['VALUE_STRING', wire];
  if (typeof wire === 'number') {
    return [Number.isInteger(wire) ? 'VALUE_NUMBER_INT' : 'VALUE_NUMBER_FLOAT', String(wire)];
  }
  if (typeof wire === 'boolean') return [wire ? 'VALUE_TRUE' : 'VALUE_FALSE', String(wire)];
  return Array.isArray(wire) ? ['START_ARRAY', '['] : ['START_OBJECT', '{'];
}
