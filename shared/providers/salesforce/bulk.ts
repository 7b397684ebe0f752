import { setImmediate as othersTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { BatchRowOutcome, BulkClient, BulkEnd, BulkJobState, BulkResults } from '../batch-port.ts';
import type { AnsweredCall, Call, Looked, ProviderRequest } from '../port.ts';
import { answeredWith, readAs } from '../read-call.ts';
import { keyField } from './batch.ts';
import { canCarry, newFile } from './bulk-file.ts';
import { readRefused, readUnprocessed, readWritten } from './bulk-results.ts';
import { classify } from './failures.ts';
import { dataPath } from './paths.ts';
import { notLooked, unreadable } from './reads.ts';

/** Result rows read before others get their turn: a file has up to 50,000, and this process serves other accounts. */
const ROWS_AT_ONCE = 1_000;

const OpenedJob = z.looseObject({ id: z.string().min(15) });
const JobInfo = z.looseObject({
  state: z.string(),
  numberRecordsProcessed: z.number().optional(),
  numberRecordsFailed: z.number().optional(),
  errorMessage: z.string().nullish(),
});

const ENDS: Record<string, BulkEnd> = { JobComplete: 'complete', Failed: 'failed', Aborted: 'aborted' };

const jobPath = (settings: AccountSettings, ...parts: string[]) =>
  dataPath(settings, 'jobs', 'ingest', ...parts);

/** An upsert by the marker's external id: a row that travels twice meets its own record. */
async function open(call: Call, settings: AccountSettings): Promise<Looked<string>> {
  const body = {
    object: 'Opportunity',
    operation: 'upsert',
    externalIdFieldName: keyField(settings),
    contentType: 'CSV',
    columnDelimiter: 'COMMA',
    lineEnding: 'LF',
  };
  const opened = await readAs(
    call,
    { method: 'POST', path: jobPath(settings), body, purpose: 'follow_up' },
    OpenedJob,
  );
  return opened.ok ? { ok: true, value: opened.value.id } : opened;
}

async function upload(
  call: Call,
  settings: AccountSettings,
  jobId: string,
  text: string,
): Promise<Looked<void>> {
  const result = await call({
    method: 'PUT',
    path: jobPath(settings, jobId, 'batches'),
    headers: { 'content-type': 'text/csv; charset=UTF-8' },
    body: text,
    purpose: 'follow_up',
  });
  return answeredWith(result, 201) ? { ok: true, value: undefined } : notLooked(result);
}

async function change(
  call: Call,
  settings: AccountSettings,
  jobId: string,
  state: 'UploadComplete' | 'Aborted',
): Promise<Looked<void>> {
  const path = jobPath(settings, jobId);
  const result = await call({ method: 'PATCH', path, body: { state }, purpose: 'follow_up' });
  return answeredWith(result, 200) ? { ok: true, value: undefined } : notLooked(result);
}

async function state(call: Call, settings: AccountSettings, jobId: string): Promise<Looked<BulkJobState>> {
  const path = jobPath(settings, jobId);
  const result = await call({ method: 'GET', path, purpose: 'probe' });
  const missing = answeredWith(result, 404);
  if (missing && judge(missing).code === 'provider_not_found')
    return { ok: true, value: { kind: 'gone', message: judge(missing).message } };
  const answer = answeredWith(result, 200);
  if (!answer) return notLooked(result);
  const info = JobInfo.safeParse(answer.body);
  return info.success ? { ok: true, value: toState(info.data) } : unreadable(answer, path);
}

function toState(info: z.infer<typeof JobInfo>): BulkJobState {
  const { state: name, numberRecordsProcessed: processed = 0, numberRecordsFailed: failed = 0 } = info;
  const ended = ENDS[name];
  if (ended !== undefined) {
    const message = info.errorMessage ?? undefined;
    return message === undefined ? { kind: 'done', ended } : { kind: 'done', ended, message };
  }
  // A state we have not heard of is one between the others.
  return name === 'Open' ? { kind: 'open' } : { kind: 'working', processed, failed };
}

/** The files are large: each is read into the map and let go before the next one is asked for. */
async function results(
  call: Call,
  settings: AccountSettings,
  jobId: string,
  ended: BulkEnd,
): Promise<Looked<BulkResults>> {
  const key = keyField(settings);
  const rowPath = dataPath(settings, 'sobjects', 'Opportunity', key);
  const own = (value: string, fields: Record<string, string>): ProviderRequest => ({
    method: 'PATCH',
    path: `${rowPath}/${encodeURIComponent(value)}`,
    body: fields,
    purpose: 'create',
  });
  const outcomes = new Map<string, BatchRowOutcome>();
  const written = await file(call, settings, jobId, 'successfulResults');
  if (!written.ok) return written;
  await keep(readWritten(written.value, key, own), ([row, outcome]) => outcomes.set(row, outcome));
  const refused = await file(call, settings, jobId, 'failedResults');
  if (!refused.ok) return refused;
  await keep(readRefused(refused.value, key, own), ([row, outcome]) => outcomes.set(row, outcome));
  // A complete job has no unprocessed rows; those it lost sight of are in no file at all.
  if (ended === 'complete') return { ok: true, value: { outcomes, unprocessed: new Set() } };
  const left = await file(call, settings, jobId, 'unprocessedrecords');
  if (!left.ok) return left;
  const unprocessed = new Set<string>();
  await keep(readUnprocessed(left.value, key), (row) => unprocessed.add(row));
  return { ok: true, value: { outcomes, unprocessed } };
}

async function keep<T>(rows: Iterable<T>, take: (row: T) => void): Promise<void> {
  let read = 0;
  for (const row of rows) {
    take(row);
    read += 1;
    if (read % ROWS_AT_ONCE === 0) await othersTurn();
  }
}

async function file(
  call: Call,
  settings: AccountSettings,
  jobId: string,
  name: 'successfulResults' | 'failedResults' | 'unprocessedrecords',
): Promise<Looked<AnsweredCall>> {
  const path = jobPath(settings, jobId, name);
  const result = await call({ method: 'GET', path, headers: { accept: 'text/csv' }, purpose: 'read_back' });
  const answer = answeredWith(result, 200);
  if (!answer) return notLooked(result);
  const isText = answer.body === undefined || typeof answer.body === 'string';
  return isText ? { ok: true, value: answer } : unreadable(answer, path);
}

/** Nothing here is the create of one row: what would be ambiguous there may be asked again here. */
function judge(answer: AnsweredCall): ReturnType<BulkClient['judge']> {
  const outcome = classify(answer, { method: 'GET', path: '/jobs/ingest', purpose: 'look_up' });
  if (outcome.kind !== 'written') return outcome;
  const message = 'Salesforce answered a bulk job as if it were one record';
  return { kind: 'retryable', code: 'provider_bad_answer', message, httpStatus: answer.status };
}

/**
 * Bulk API 2.0 ingest.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0_ingest.htm
 */
export const salesforceBulk: BulkClient = {
  canCarry,
  newFile,
  open,
  upload,
  close: (call, settings, jobId) => change(call, settings, jobId, 'UploadComplete'),
  state,
  results,
  abort: (call, settings, jobId) => change(call, settings, jobId, 'Aborted'),
  judge,
};
