import type { StoredRecord } from './data/table.ts';
import {
  methodNotAllowed,
  noSuchColumn,
  noSuchExternalIdField,
  notFound,
  RestFailure,
  type SalesforceError,
} from './errors.ts';
import { findLongId } from './ids.ts';
import { describeObject, describeSummary } from './read/describe.ts';
import { representRecord, wireDatetime } from './read/represent.ts';
import { noContent, ok, type RestCall, type RestReply, recordUrl } from './rest.ts';
import type { Field } from './schema/field.ts';
import type { SObject } from './schema/org.ts';
import { isPlainObject } from './write/parse.ts';
import { findByExternalId, getExternalField, upsertRecord } from './write/upsert.ts';
import { deleteRecord, getObject, insertRecord, updateRecord } from './write/write.ts';

/** `/sobjects/…`: describe, create, read, change, delete, upsert. Source: REST API, Reference. */
export function handleSobjects(call: RestCall): RestReply {
  const [, name, second, third] = call.segments;
  if (name === undefined || name === '') return describeGlobal(call);
  const object = getObject(name, call.context);
  if (second === undefined || second === '') return handleObject(call, object);
  if (second === 'describe') return handleDescribe(call, object);
  if (third === undefined) return handleRecord(call, object, second);
  return handleExternal(call, object, second, third);
}

function describeGlobal(call: RestCall): RestReply {
  requireMethod(call, ['GET', 'HEAD']);
  const sobjects = call.context.org.objects().map((object) => describeSummary(object, call.version));
  return ok({ encoding: 'UTF-8', maxBatchSize: 200, sobjects });
}

function handleObject(call: RestCall, object: SObject): RestReply {
  if (call.method === 'POST') return createOne(call, object);
  requireMethod(call, ['GET', 'HEAD', 'POST']);
  return ok({ objectDescribe: describeSummary(object, call.version), recentItems: [] });
}

// Metadata of the demo org changes with the switches only; one date is enough for conditional reads.
const describedAt = 'Mon, 15 Jan 2024 09:30:00 GMT';

function handleDescribe(call: RestCall, object: SObject): RestReply {
  requireMethod(call, ['GET', 'HEAD']);
  const since = Date.parse(String(call.headers['if-modified-since'] ?? ''));
  const headers = { 'last-modified': describedAt };
  if (since >= Date.parse(describedAt)) return { status: 304, headers };
  return ok(describeObject(object, call.version), headers);
}

function createOne(call: RestCall, object: SObject): RestReply {
  return created(call, object, insertRecord(object, bodyOf(call), call.context));
}

function handleRecord(call: RestCall, object: SObject, rawId: string): RestReply {
  requireMethod(call, ['GET', 'HEAD', 'PATCH', 'DELETE']);
  const record = getRecord(call, object, rawId);
  if (call.method === 'PATCH') {
    requireUnmodified(call, record);
    const result = updateRecord(object, record, bodyOf(call), call.context);
    if ('errors' in result) throw new RestFailure(result.errors);
    return noContent;
  }
  if (call.method === 'DELETE') {
    deleteRecord(object, record, call.context);
    return noContent;
  }
  return readRecord(call, object, record);
}

function getRecord(call: RestCall, object: SObject, rawId: string): StoredRecord {
  const isRead = call.method === 'GET' || call.method === 'HEAD';
  const id = findLongId(rawId);
  if (id === undefined) {
    // What is no id is taken for an external id field.
    if (!/^[0-9a-z]{15}(?:[0-9a-z]{3})?$/i.test(rawId)) throw new RestFailure(noSuchExternalIdField(rawId));
    throw new RestFailure({ code: 'MALFORMED_ID', message: `malformed id ${rawId}`, fields: [] });
  }
  const record = call.context.store.table(object.name).get(id);
  if (record === undefined) {
    throw new RestFailure(isRead ? notFound() : invalidCrossReference());
  }
  if (record.deleted) {
    throw new RestFailure({
      code: 'ENTITY_IS_DELETED',
      message: 'entity is deleted',
      fields: [],
      status: 404,
    });
  }
  return record;
}

function invalidCrossReference(): SalesforceError {
  return {
    code: 'INVALID_CROSS_REFERENCE_KEY',
    message: 'invalid cross reference id',
    fields: [],
    status: 404,
  };
}

function readRecord(call: RestCall, object: SObject, record: StoredRecord): RestReply {
  const modified = Number(record.values.LastModifiedDate ?? 0);
  const since = Date.parse(String(call.headers['if-modified-since'] ?? ''));
  const headers = { 'last-modified': new Date(modified).toUTCString() };
  if (since >= modified) return { status: 304, headers };
  return ok(representRecord(object, record, call.version, chosenFields(call, object)), headers);
}

function chosenFields(call: RestCall, object: SObject): Field[] {
  const list = call.query.get('fields');
  if (list === null || list.trim() === '') return object.fields;
  return list.split(',').map((name) => {
    const field = object.field(name.trim());
    if (field === undefined) throw new RestFailure(noSuchColumn(name.trim(), object.name));
    return field;
  });
}

// A value that ends like a file name is read as one. Source: REST API, sObject Rows by External ID.
const fileExtension = /\.(?:inc|json|xml|html?|txt|csv|js|css|jsp|php)$/i;

function handleExternal(call: RestCall, object: SObject, fieldName: string, value: string): RestReply {
  requireMethod(call, ['GET', 'HEAD', 'PATCH', 'POST', 'DELETE']);
  if (fileExtension.test(value)) throw new RestFailure(notFound());
  const field = getExternalField(object, fieldName);
  if (call.method === 'PATCH' || call.method === 'POST') return upsertOne(call, object, field, value);
  const matches = findByExternalId(object, field, value, call.context);
  const [match] = matches;
  if (match === undefined) throw new RestFailure(notFound());
  if (matches.length > 1) return choices(call, object, matches);
  if (call.method !== 'DELETE') return readRecord(call, object, match);
  deleteRecord(object, match, call.context);
  return noContent;
}

function upsertOne(call: RestCall, object: SObject, field: Field, value: string): RestReply {
  const options = { updateOnly: call.query.get('updateOnly') === 'true' };
  const result = upsertRecord(object, field, value, bodyOf(call), call.context, options);
  if ('choices' in result) return choices(call, object, result.choices);
  if ('errors' in result || result.created) return created(call, object, result);
  // Up to v45 an update by external id has no body.
  if (Number(call.version) < 46) return noContent;
  return ok({ id: result.id, success: true, errors: [], created: false });
}

/** Several matches of a non-unique field: their URLs, and nothing written. */
function choices(call: RestCall, object: SObject, matches: StoredRecord[]): RestReply {
  return { status: 300, body: matches.map((record) => recordUrl(call, object.name, record.id)) };
}

function created(call: RestCall, object: SObject, result: ReturnType<typeof insertRecord>): RestReply {
  if ('errors' in result) throw new RestFailure(result.errors);
  const isUpsert = call.segments.length > 3;
  return {
    status: 201,
    headers: { location: recordUrl(call, object.name, result.id) },
    body: {
      id: result.id,
      success: true,
      errors: [],
      ...(isUpsert && Number(call.version) >= 46 ? { created: true } : {}),
    },
  };
}

function requireUnmodified(call: RestCall, record: StoredRecord): void {
  const since = Date.parse(String(call.headers['if-unmodified-since'] ?? ''));
  if (Number.isNaN(since) || Number(record.values.LastModifiedDate) <= since) return;
  const message = `The record was modified at ${wireDatetime(Number(record.values.LastModifiedDate))}`;
  throw new RestFailure({ code: 'PRECONDITION_FAILED', message, status: 412 });
}

export function requireMethod(call: RestCall, allowed: string[]): void {
  if (!allowed.includes(call.method)) throw methodNotAllowed(call.method, allowed);
}

/** The record body, or the error of the parser that wanted an object. */
export function bodyOf(call: RestCall): Record<string, unknown> {
  if (isPlainObject(call.body)) return call.body;
  const message =
    call.body === undefined
      ? 'The HTTP entity body is required, but this request has no entity body.'
      : 'Unexpected parameter encountered during deserialization at [line:1, column:1]';
  throw new RestFailure({ code: 'JSON_PARSER_ERROR', message });
}
