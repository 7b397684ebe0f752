import type { FieldValues } from '../data/table.ts';
import { noSuchColumn, type SalesforceError } from '../errors.ts';
import type { Field } from '../schema/field.ts';
import type { SObject } from '../schema/org.ts';
import { coerce } from './coerce.ts';
import type { WriteContext } from './context.ts';

export type Parsed = { values: FieldValues; written: Field[] } | { errors: SalesforceError[] };

/**
 * A record body as column values: unknown columns and values the parser refuses come first, as in the real
 * order of checks. Nothing is written yet.
 */
export function parseRecord(object: SObject, body: Record<string, unknown>, context: WriteContext): Parsed {
  const values: FieldValues = {};
  const written: Field[] = [];
  for (const [key, wire] of Object.entries(body)) {
    if (key === 'attributes') continue;
    const reference = isPlainObject(wire) ? object.relationship(key) : undefined;
    const field = reference ?? object.field(key);
    if (field === undefined) return { errors: [noSuchColumn(key, object.name)] };
    const result = reference ? resolve(reference, wire, context) : coerce(field, wire, context.source);
    if ('error' in result) return { errors: [result.error] };
    values[field.name] = result.value;
    written.push(field);
  }
  return { values, written };
}

/**
 * A parent named by its external id: `"Account": {"External_Key__c": "A-1"}`.
 * Source: REST API, Insert or Update (Upsert) a Record Using an External ID, relationships.
 */
function resolve(reference: Field, wire: unknown, { org, store }: WriteContext) {
  const target = org.object(reference.referenceTo[0] ?? '');
  const keys = isPlainObject(wire) ? Object.entries(wire).filter(([key]) => key !== 'attributes') : [];
  const [key] = keys;
  if (target === undefined || key === undefined || keys.length !== 1) {
    const message = `The relationship ${reference.relationshipName} must be given by exactly one external id field`;
    return { error: { code: 'INVALID_FIELD', message } };
  }
  const [name, value] = key;
  const field = target.field(name);
  if (field === undefined || !(field.externalId || field.idLookup)) {
    return { error: noSuchColumn(name, target.name) };
  }
  const text = String(value);
  const found = store.table(target.name).findBy(field.name, text);
  if (found === undefined || found.length === 0) {
    const message = `Foreign key external ID: ${text} not found for field ${field.name} in entity ${target.name}`;
    return { error: { code: 'INVALID_FIELD', message } };
  }
  return { value: found[0]?.id ?? null };
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
