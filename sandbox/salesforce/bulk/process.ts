import type { SObject } from '../schema/org.ts';
import type { WriteContext } from '../write/context.ts';
import { type CsvRow, firstLineEnding, parseCsv } from './csv.ts';
import { delimiters, type Job } from './job.ts';
import { findRefusedKeys, isSame, writeRow } from './rows.ts';

// Source: Bulk API 2.0: records are processed in chunks of 200, a batch of the daily allocation is 10,000 records.
const chunkRows = 200;
const batchRows = 10_000;

export type ProcessDeps = {
  /** Takes one batch of the daily allocation; false when none is left. */
  takeBatch: () => boolean;
};

/**
 * Works through an uploaded job, chunk by chunk, giving way between them so that other calls go on. A job can be
 * aborted on the way; what was not reached is unprocessed.
 */
export async function processJob(job: Job, context: WriteContext, { takeBatch }: ProcessDeps): Promise<void> {
  const text = takeContent(job);
  const rows = readRows(job, text);
  const object = context.org.object(job.object);
  const fault = findFault(job, object, text, context);
  if (object === undefined || fault !== undefined) {
    fail(job, fault ?? `InvalidBatch : Field name not found : ${job.object}`, rows);
    return;
  }
  const { switches } = context;
  const failAfter = switches.bulk_fail_after_rows ?? Infinity;
  if (failAfter !== Infinity) switches.bulk_fail_after_rows = null;
  for (let start = 0; start < rows.length; ) {
    if (isAborted(job)) {
      job.unprocessed = rows.slice(start).map(valuesOf);
      return;
    }
    if (start >= failAfter) {
      fail(job, 'TooManyLockFailure : Too many lock failure 200 Trying again later.', rows.slice(start));
      return;
    }
    // Source: Bulk API 2.0: results are not recorded for batches that exceed the daily batch allocation.
    if (start % batchRows === 0 && !takeBatch()) {
      fail(job, 'ExceededQuota : ApiBatchItems Limit exceeded.', []);
      return;
    }
    const end = Math.min(start + chunkRows, failAfter);
    processChunk(job, object, rows.slice(start, end), context);
    start = end;
    await pause(job, switches.bulk_chunk_ms);
  }
  if (!isAborted(job)) job.state = 'JobComplete';
}

/** What an aborted job leaves behind that nobody has begun with. */
export function leaveUnprocessed(job: Job): void {
  job.unprocessed = readRows(job, takeContent(job)).map(valuesOf);
}

function takeContent(job: Job): string {
  const text = (job.content ?? Buffer.alloc(0)).toString('utf8');
  job.content = undefined;
  return text;
}

/** The records below the header line, which the job keeps. */
function readRows(job: Job, text: string): CsvRow[] {
  const [header, ...rows] = parseCsv(text, delimiters[job.delimiter]);
  job.header = header?.values ?? [];
  return rows;
}

function fail(job: Job, message: string, unprocessed: CsvRow[]): void {
  job.unprocessed = unprocessed.map(valuesOf);
  job.state = 'Failed';
  job.errorMessage = message;
}

function valuesOf({ values }: CsvRow): string[] {
  return values;
}

// A function, because the state changes between awaits where the compiler cannot see it.
function isAborted(job: Job): boolean {
  return job.state === 'Aborted';
}

function pause(job: Job, ms: number): Promise<void> {
  return new Promise((resolve) => {
    job.wake = resolve;
    if (ms === 0) setImmediate(resolve);
    else setTimeout(resolve, ms).unref();
  });
}

/** Why nothing of the upload can be read. Messages as reported by users of the API. */
function findFault(
  job: Job,
  object: SObject | undefined,
  text: string,
  context: WriteContext,
): string | undefined {
  const ending = firstLineEnding(text);
  if (ending !== undefined && ending !== job.lineEnding) {
    return `ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is ${job.lineEnding}`;
  }
  const column = object === undefined ? job.object : findBadColumn(job, object, context);
  return column === undefined ? undefined : `InvalidBatch : Field name not found : ${column}`;
}

function findBadColumn(job: Job, object: SObject, { org }: WriteContext): string | undefined {
  const { externalIdFieldName, header } = job;
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

/** One chunk is one transaction's worth of work; its rows fail alone. */
function processChunk(job: Job, object: SObject, rows: CsvRow[], context: WriteContext): void {
  const refused = findRefusedKeys(job, rows);
  for (const row of rows) {
    const result = writeRow(job, object, row, refused, context);
    if ('error' in result) job.failed.push(['', result.error, ...row.values]);
    else job.succeeded.push([result.id, String(result.created), ...row.values]);
  }
}
