import type { SalesforceError } from '../errors.ts';
import { findLongId } from '../ids.ts';
import type { SObject } from '../schema/org.ts';
import type { WriteContext } from '../write/context.ts';
import { getExternalField, upsertRecord } from '../write/upsert.ts';
import { deleteRecord, insertRecord, updateRecord, type Written } from '../write/write.ts';
import { parseCsv } from './csv.ts';
import { delimiters, type Job } from './job.ts';

// Source: Bulk API 2.0: records are processed in chunks of 200.
const chunkRows = 200;

/**
 * Works through an uploaded job, chunk by chunk, giving way between them so that other calls go on. A job can be
 * aborted on the way; what was not reached is unprocessed.
 */
export async function processJob(job: Job, context: WriteContext): Promise<void> {
  const [header = [], ...rows] = parseCsv(
    (job.content ?? Buffer.alloc(0)).toString('utf8'),
    delimiters[job.delimiter],
  );
  job.content = undefined;
  job.header = header;
  const object = context.org.object(job.object);
  const badColumn = object === undefined ? job.object : findBadColumn(job, object, header, context);
  if (object === undefined || badColumn !== undefined) {
    job.unprocessed = rows;
    job.state = 'Failed';
    job.errorMessage = `InvalidBatch : Field name not found : ${badColumn}`;
    return;
  }
  for (let start = 0; start < rows.length; start += chunkRows) {
    if (isAborted(job)) {
      job.unprocessed = rows.slice(start);
      return;
    }
    processChunk(job, object, rows.slice(start, start + chunkRows), context);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!isAborted(job)) job.state = 'JobComplete';
}

// A function, because the state changes between awaits where the compiler cannot see it.
function isAborted(job: Job): boolean {
  return job.state === 'Aborted';
}

function findBadColumn(
  job: Job,
  object: SObject,
  header: string[],
  { org }: WriteContext,
): string | undefined {
  const { externalIdFieldName } = job;
  const isMissing =
    externalIdFieldName !== undefined && !header.some((name) => isSame(name, externalIdFieldName));
  if (isMissing) return externalIdFieldName;
  return header.find((name) => {
    const [first = '', second] = name.split('.');
    if (second === undefined) return object.field(first) === undefined;
    const reference = object.relationship(first);
    return reference === undefined || org.object(reference.referenceTo[0] ?? '')?.field(second) === undefined;
  });
}

function processChunk(job: Job, object: SObject, rows: string[][], context: WriteContext): void {
  const keyIndex = job.header.findIndex((name) => isSame(name, job.externalIdFieldName ?? 'Id'));
  const keyCounts = new Map<string, number>();
  for (const row of rows) {
    const key = (row[keyIndex] ?? '').toLowerCase();
    keyCounts.set(key, (keyCounts.get(key) ?? 0) + 1);
  }
  for (const row of rows) {
    const key = row[keyIndex] ?? '';
    const isTwice = job.operation === 'upsert' && key !== '' && (keyCounts.get(key.toLowerCase()) ?? 0) > 1;
    const result = isTwice ? { errors: [keyTwice(job, key)] } : writeRow(job, object, row, key, context);
    if ('errors' in result) job.failed.push(['', errorText(result.errors), ...row]);
    else job.succeeded.push([result.id, String(result.created), ...row]);
  }
}

function writeRow(job: Job, object: SObject, row: string[], key: string, context: WriteContext): Written {
  const body = toBody(job, row);
  if (job.operation === 'insert') return insertRecord(object, body, context);
  if (job.operation === 'upsert') {
    const field = getExternalField(object, job.externalIdFieldName ?? '');
    const entries = Object.entries(body).filter(([name]) => !isSame(name, field.name));
    if (key === '')
      return { errors: [{ code: 'MISSING_ARGUMENT', message: `${field.name} not specified`, fields: [] }] };
    const result = upsertRecord(object, field, key, Object.fromEntries(entries), context);
    if (!('choices' in result)) return result;
    const message = `${field.name}: more than one record found for external id field`;
    return { errors: [{ code: 'DUPLICATE_EXTERNAL_ID', message, fields: [field.name] }] };
  }
  const id = findLongId(key);
  const record = id === undefined ? undefined : context.store.table(object.name).get(id);
  if (record === undefined || record.deleted) {
    return {
      errors: [{ code: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [] }],
    };
  }
  if (job.operation === 'update') {
    const entries = Object.entries(body).filter(([name]) => !isSame(name, 'Id'));
    return updateRecord(object, record, Object.fromEntries(entries), context);
  }
  deleteRecord(object, record, context);
  return { id: record.id, created: false };
}

/** Empty is "not stated", `#N/A` is null. Source: Bulk API 2.0, Valid CSV Record Rows. */
function toBody(job: Job, row: string[]): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [index, name] of job.header.entries()) {
    const text = row[index] ?? '';
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

function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}
