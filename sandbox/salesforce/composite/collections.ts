import type { StoredRecord } from '../data/table.ts';
import {
  noSuchExternalIdField,
  notFound,
  RestFailure,
  type SalesforceError,
  toStatusErrors,
} from '../errors.ts';
import { findLongId } from '../ids.ts';
import { representRecord } from '../read/represent.ts';
import { ok, type RestCall, type RestReply } from '../rest.ts';
import type { SObject } from '../schema/org.ts';
import { bodyOf, requireMethod } from '../sobjects.ts';
import { getExternalField, upsertRecord } from '../write/upsert.ts';
import { deleteRecord, getObject, insertRecord, updateRecord, type Written } from '../write/write.ts';
import { type Row, rowsOf } from './rows.ts';

/** `/composite/sobjects…`: up to 200 records in one call. Source: REST API, sObject Collections. */
export function handleCollections(call: RestCall): RestReply {
  const [, , objectName, fieldName] = call.segments;
  if (objectName !== undefined && fieldName !== undefined) return upsertMany(call, objectName, fieldName);
  if (objectName !== undefined) return retrieveMany(call, objectName);
  requireMethod(call, ['POST', 'PATCH', 'DELETE']);
  if (call.method === 'DELETE') return deleteMany(call);
  const rows = rowsOf(call, undefined);
  const isCreate = call.method === 'POST';
  const write = isCreate ? createRow : updateRow;
  const results = runAll(call, rows, (row) => write(call, row), isAllOrNone(call));
  const failed = results.some((result) => 'errors' in result);
  const status = isCreate && failed && isAllOrNone(call) ? call.context.switches.all_or_none_status : 200;
  return { status, body: results.map((result) => toResult(result, false)) };
}

function upsertMany(call: RestCall, objectName: string, fieldName: string): RestReply {
  requireMethod(call, ['PATCH']);
  const object = getObject(objectName, call.context);
  const field = object.field(fieldName);
  if (field === undefined) throw new RestFailure(noSuchExternalIdField(fieldName));
  getExternalField(object, fieldName);
  const rows = rowsOf(call, object);
  const keyOf = (row: Row): string | undefined =>
    'error' in row ? undefined : keyIn(row.fields, field.name)?.toLowerCase();
  const counts = new Map<string, number>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const results = runAll(
    call,
    rows,
    (row) => {
      if ('error' in row) return { errors: [row.error] };
      const key = keyIn(row.fields, field.name);
      if (key === undefined) return { errors: [keyMissing(field.name)] };
      // The same key twice in one call fails both. Source: SOAP API, upsert().
      if ((counts.get(key.toLowerCase()) ?? 0) > 1) return { errors: [keyTwice(field.name, key)] };
      return upsertRow(call, row, field.name, key);
    },
    isAllOrNone(call),
  );
  return ok(results.map((result) => toResult(result, true)));
}

function upsertRow(
  call: RestCall,
  row: Exclude<Row, { error: SalesforceError }>,
  fieldName: string,
  key: string,
): Written {
  const { [fieldName]: _, ...fields } = canonical(row.fields, fieldName);
  const field = getExternalField(row.object, fieldName);
  const result = upsertRecord(row.object, field, key, fields, call.context);
  if (!('choices' in result)) return result;
  const message = `${fieldName}: more than one record found for external id field: [${result.choices
    .map((record) => record.id)
    .join(', ')}]`;
  return { errors: [{ code: 'DUPLICATE_EXTERNAL_ID', message, fields: [fieldName] }] };
}

/** The fields with the key's name spelt as the org spells it. */
function canonical(fields: Record<string, unknown>, name: string): Record<string, unknown> {
  if (Object.hasOwn(fields, name)) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key.toLowerCase() === name.toLowerCase() ? name : key,
      value,
    ]),
  );
}

function keyIn(fields: Record<string, unknown>, name: string): string | undefined {
  const value = canonical(fields, name)[name];
  return value === undefined || value === null || value === '' ? undefined : String(value);
}

function createRow(call: RestCall, row: Row): Written {
  if ('error' in row) return { errors: [row.error] };
  return insertRecord(row.object, row.fields, call.context);
}

function updateRow(call: RestCall, row: Row): Written {
  if ('error' in row) return { errors: [row.error] };
  const { Id, id, ...fields } = row.fields;
  const record = findRecord(call, row.object, String(Id ?? id ?? ''));
  if (record === undefined) return { errors: [invalidReference()] };
  return updateRecord(row.object, record, fields, call.context);
}

function findRecord(call: RestCall, object: SObject, id: string): StoredRecord | undefined {
  const longId = findLongId(id);
  const record = longId === undefined ? undefined : call.context.store.table(object.name).get(longId);
  return record?.deleted ? undefined : record;
}

function deleteMany(call: RestCall): RestReply {
  const ids = (call.query.get('ids') ?? '').split(',').filter((id) => id !== '');
  const results = runAll(
    call,
    ids,
    (id): Written => {
      const object = call.context.org.objectOfId(id);
      const record = object && findRecord(call, object, id);
      if (object === undefined || record === undefined) return { errors: [invalidReference()] };
      deleteRecord(object, record, call.context);
      return { id: record.id, created: false };
    },
    call.query.get('allOrNone') === 'true',
  );
  return ok(results.map((result) => toResult(result, false)));
}

function retrieveMany(call: RestCall, objectName: string): RestReply {
  requireMethod(call, ['GET', 'POST']);
  const object = getObject(objectName, call.context);
  const body = call.method === 'POST' ? bodyOf(call) : {};
  const list = (name: string): string[] => {
    const value = call.method === 'POST' ? body[name] : call.query.get(name)?.split(',');
    return Array.isArray(value) ? value.map(String) : [];
  };
  const fields = list('fields').map((name) => {
    const field = object.field(name);
    if (field === undefined)
      throw new RestFailure(notFound(`No such column '${name}' on entity '${object.name}'`));
    return field;
  });
  return ok(
    list('ids').map((id) => {
      const record = findRecord(call, object, id);
      return record === undefined ? null : representRecord(object, record, call.version, fields);
    }),
  );
}

/** Writes in request order; under all-or-none one failure takes everything back. */
function runAll<Item>(
  call: RestCall,
  items: Item[],
  write: (item: Item) => Written,
  allOrNone: boolean,
): Written[] {
  const transaction = call.context.store.begin();
  const results = items.map(write);
  if (!allOrNone || !results.some((result) => 'errors' in result)) {
    transaction.commit();
    return results;
  }
  transaction.rollback();
  return results.map((result) => ('errors' in result ? result : { errors: [rolledBack()] }));
}

function isAllOrNone(call: RestCall): boolean {
  return bodyOf(call).allOrNone === true;
}

/** A failed item has no `id` key at all. */
function toResult(result: Written, isUpsert: boolean): Record<string, unknown> {
  if ('errors' in result) {
    const failed = { success: false, errors: toStatusErrors(result.errors) };
    return isUpsert ? { ...failed, created: false } : failed;
  }
  const written = { id: result.id, success: true, errors: [] };
  return isUpsert ? { ...written, created: result.created } : written;
}

function rolledBack(): SalesforceError {
  const message =
    'Record rolled back because not all records were valid and the request was using AllOrNone header';
  return { code: 'ALL_OR_NONE_OPERATION_ROLLED_BACK', message, fields: [] };
}

function invalidReference(): SalesforceError {
  return { code: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [] };
}

function keyMissing(field: string): SalesforceError {
  return { code: 'MISSING_ARGUMENT', message: `${field} not specified`, fields: [] };
}

function keyTwice(field: string, key: string): SalesforceError {
  return { code: 'DUPLICATE_VALUE', message: `Duplicate external id specified: ${key}`, fields: [field] };
}
