import type { SalesforceError } from '../errors.ts';
import { findLongId } from '../ids.ts';
import type { SObject } from '../schema/org.ts';
import type { WriteContext } from '../write/context.ts';
import { getExternalField, upsertRecord } from '../write/upsert.ts';
import { deleteRecord, insertRecord, updateRecord, type Written } from '../write/write.ts';
import type { CsvRow } from './csv.ts';
import type { Job } from './job.ts';

type RowResult = { id: string; created: boolean } | { error: string };

export function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

/** Keys, folded, that a chunk of an upsert has more than once: all their rows fail. Source: SOAP API, upsert(). */
export function findRefusedKeys(job: Job, rows: CsvRow[]): Set<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  if (job.operation !== 'upsert') return twice;
  for (const row of rows) {
    const key = keyOf(job, row).toLowerCase();
    if (key === '') continue;
    if (seen.has(key)) twice.add(key);
    seen.add(key);
  }
  return twice;
}

/** Writes one row and words its failure as the result file does. */
export function writeRow(
  job: Job,
  object: SObject,
  row: CsvRow,
  refusedKeys: Set<string>,
  context: WriteContext,
): RowResult {
  if (row.isMalformed || row.values.length > job.header.length) {
    return {
      error: 'CLIENT_INPUT_ERROR:The row does not fit the header, or has text beside a double quote: --',
    };
  }
  const key = keyOf(job, row);
  const result = refusedKeys.has(key.toLowerCase())
    ? { errors: [keyTwice(job, key)] }
    : operate(job, object, toBody(job, row.values), key, context);
  return 'errors' in result ? { error: errorText(result.errors) } : result;
}

function keyOf(job: Job, { values }: CsvRow): string {
  const name = job.externalIdFieldName ?? 'Id';
  return values[job.header.findIndex((column) => isSame(column, name))] ?? '';
}

function operate(
  job: Job,
  object: SObject,
  body: Record<string, unknown>,
  key: string,
  context: WriteContext,
): Written {
  if (job.operation === 'insert') return insertRecord(object, body, context);
  if (job.operation === 'upsert') return upsert(job, object, body, key, context);
  const id = findLongId(key);
  const record = id === undefined ? undefined : context.store.table(object.name).get(id);
  if (record === undefined || record.deleted) {
    return {
      errors: [{ code: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [] }],
    };
  }
  if (job.operation === 'update') return updateRecord(object, record, without(body, 'Id'), context);
  deleteRecord(object, record, context);
  return { id: record.id, created: false };
}

function upsert(
  job: Job,
  object: SObject,
  body: Record<string, unknown>,
  key: string,
  context: WriteContext,
): Written {
  const field = getExternalField(object, job.externalIdFieldName ?? '');
  if (key === '')
    return { errors: [{ code: 'MISSING_ARGUMENT', message: `${field.name} not specified`, fields: [] }] };
  const result = upsertRecord(object, field, key, without(body, field.name), context);
  if (!('choices' in result)) return result;
  const message = `${field.name}: more than one record found for external id field`;
  return { errors: [{ code: 'DUPLICATE_EXTERNAL_ID', message, fields: [field.name] }] };
}

function without(body: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !isSame(key, name)));
}

/** Empty is "not stated", `#N/A` is null. Source: Bulk API 2.0, Valid CSV Record Rows. */
function toBody(job: Job, values: string[]): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [index, name] of job.header.entries()) {
    const text = values[index] ?? '';
    if (text === '') continue;
    const value = text === '#N/A' ? null : text;
    const [first = '', second] = name.split('.');
    body[first] = second === undefined ? value : { [second]: value };
  }
  return body;
}

/** `CODE:message:Field --`. Source: Bulk API 2.0, Get Job Failed Record Results. */
function errorText(errors: SalesforceError[]): string {
  return errors
    .map(({ code, message, fields }) => `${code}:${message}:${(fields ?? []).join(',')} --`)
    .join(';');
}

function keyTwice(job: Job, key: string): SalesforceError {
  const message = `Duplicate external id specified: ${key}`;
  return { code: 'DUPLICATE_VALUE', message, fields: [job.externalIdFieldName ?? ''] };
}
