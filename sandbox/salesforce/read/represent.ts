import type { FieldValue, StoredRecord } from '../data/table.ts';
import type { Field } from '../schema/field.ts';
import type { SObject } from '../schema/org.ts';

type RawJson = (text: string) => unknown;

// JSON.rawJSON is in Node 22 and newer but not yet in TypeScript's lib.
const rawJson = Reflect.get(JSON, 'rawJSON') as RawJson; // it is a function there, as the line above says

/** A column's value as JSON carries it. Source: SOAP API, Core Data Types; REST API, Date and DateTime. */
export function toWire(field: Field, value: FieldValue): unknown {
  if (value === null || value === undefined) return field.type === 'boolean' ? false : null;
  if (typeof value !== 'number') return value;
  switch (field.type) {
    case 'datetime':
      return wireDatetime(value);
    // Doubles keep their point: 15000.0.
    case 'currency':
    case 'percent':
    case 'double':
      return rawJson(wireDouble(value));
    default:
      return value;
  }
}

export function wireDouble(value: number): string {
  const text = String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

/** The offset has no colon, unlike a SOQL literal's. */
export function wireDatetime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '+0000');
}

export function attributes(object: string, version: string, id: string): Record<string, string> {
  return { type: object, url: `/services/data/v${version}/sobjects/${object}/${id}` };
}

/** The stored value of a column, `IsDeleted` included. */
export function columnValue(record: StoredRecord, field: Field): FieldValue {
  if (field.name === 'IsDeleted') return record.deleted;
  return record.values[field.name] ?? null;
}

/** A whole record or the chosen columns of it. */
export function representRecord(
  object: SObject,
  record: StoredRecord,
  version: string,
  fields: readonly Field[] = object.fields,
): Record<string, unknown> {
  const body: Record<string, unknown> = { attributes: attributes(object.name, version, record.id) };
  for (const field of fields) body[field.name] = toWire(field, columnValue(record, field));
  return body;
}
