import type { StoredRecord } from '../data/table.ts';
import { noSuchExternalIdField, notFound, RestFailure, type SalesforceError } from '../errors.ts';
import { findLongId } from '../ids.ts';
import type { Field } from '../schema/field.ts';
import type { SObject } from '../schema/org.ts';
import type { WriteContext } from './context.ts';
import { duplicateValue } from './rules.ts';
import { insertRecord, updateRecord, type Written } from './write.ts';

export type Upserted = Written | { choices: StoredRecord[] };

/** A column that upsert may match on: external ids, but idLookups such as Name as well. */
export function getExternalField(object: SObject, name: string): Field {
  const field = object.field(name);
  if (field !== undefined && (field.externalId || field.idLookup)) return field;
  throw new RestFailure(noSuchExternalIdField(name));
}

export function findByExternalId(
  object: SObject,
  field: Field,
  value: string,
  { store }: WriteContext,
): StoredRecord[] {
  const table = store.table(object.name);
  if (field.type !== 'id') return table.findBy(field.name, value) ?? [];
  const id = findLongId(value);
  const record = id === undefined ? undefined : table.get(id);
  return record === undefined || record.deleted ? [] : [record];
}

/**
 * Creates or updates by external id. Not atomic under concurrency: a call that was already in flight when
 * another created the key fails instead of updating.
 * Source: REST API, Insert or Update (Upsert) a Record Using an External ID; support forum on competing upserts.
 */
export function upsertRecord(
  object: SObject,
  field: Field,
  value: string,
  body: Record<string, unknown>,
  context: WriteContext,
  options: { updateOnly?: boolean } = {},
): Upserted {
  const repeated = Object.keys(body).find((key) => key.toLowerCase() === field.name.toLowerCase());
  if (repeated !== undefined) return { errors: [keyInBody(field)] };
  const matches = findByExternalId(object, field, value, context);
  const [match] = matches;
  if (matches.length > 1) return { choices: matches };
  if (match !== undefined) {
    // The racing call looked before the other committed, so that it inserts into a unique index.
    if (field.unique && isRacing(match, context)) {
      return { errors: [duplicateValue(field.name, match.id)] };
    }
    return updateRecord(object, match, body, context);
  }
  if (options.updateOnly === true) return { errors: [notFound()] };
  if (field.type === 'id') return { errors: [notFound()] };
  return insertRecord(object, { ...body, [field.name]: value }, context);
}

/** A later part of the same call does see what an earlier part wrote. */
function isRacing({ commit }: StoredRecord, { switches, callNumber }: WriteContext): boolean {
  return switches.external_id_race && callNumber <= commit.lastCall && callNumber !== commit.byCall;
}

function keyInBody(field: Field): SalesforceError {
  const message = `The ${field.name} field should not be specified in the sobject data.`;
  return { code: 'INVALID_FIELD', message };
}
