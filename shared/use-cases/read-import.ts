import { reasonPhrase } from '../app-error.ts';
import {
  chunkOfRow,
  firstRowOfChunk,
  type ImportRecord,
  isImportEnded,
  type RowResult,
  type RowStatus,
  type StoredRow,
} from '../domain/import.ts';
import { isSettled, type JobRecord, type JobStatus } from '../domain/job.ts';
import { ERROR_CATALOGUE, isErrorCode } from '../errors.ts';
import { isFieldCode } from '../field-codes.ts';
import { rowJobId, rowOfJobId } from '../ids.ts';
import type { ResultRow } from '../imports/write-results.ts';
import { isJsonObject } from '../providers/merge-remote-data.ts';
import type { ImportRowStore } from '../stores/import-row-store.ts';
import type { ImportStore } from '../stores/import-store.ts';
import type { JobPage, JobStore } from '../stores/job-store.ts';
import { newJobRecord } from '../stores/new-job.ts';
import { resultOfJob } from './work-rows.ts';

export type ReadImportDeps = {
  imports: Pick<ImportStore, 'find'>;
  rows: Pick<ImportRowStore, 'chunk' | 'results' | 'result' | 'underWay'>;
  jobs: Pick<JobStore, 'find'>;
};

/** A row that has no result yet is one of these. */
export const ROW_STATUSES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'needs_review',
  'cancelled',
  'duplicate',
] as const;
export type ShownRowStatus = (typeof ROW_STATUSES)[number];

/** Every row of an import in its order, with what has become of it so far. One chunk at a time. */
export async function* readResults(
  deps: ReadImportDeps,
  record: ImportRecord,
  statuses?: readonly ShownRowStatus[],
): AsyncGenerator<ResultRow> {
  for (let chunk = 0; chunk < record.chunks; chunk++) {
    const { rows, resultOf, underWay } = await readChunk(deps, record, chunk);
    for (const stored of rows) {
      const result = await currentResult(deps, record, stored.row, resultOf(stored.row));
      const status = result?.status ?? pendingStatus(record, underWay.has(stored.row));
      if (statuses && !statuses.includes(status)) continue;
      yield {
        original: stored.original,
        row: stored.row,
        line: stored.line,
        status,
        remote_id: result?.remoteId ?? null,
        code: result?.code ?? (status === 'cancelled' ? status : null),
        message: result?.message ?? (status === 'cancelled' ? ERROR_CATALOGUE.cancelled.meaning : null),
        pointer: result?.pointer ?? null,
      };
    }
  }
}

async function readChunk(deps: ReadImportDeps, record: ImportRecord, chunk: number) {
  const [rows = [], { results }, underWay] = await Promise.all([
    deps.rows.chunk(record, chunk),
    deps.rows.results(record, chunk),
    deps.rows.underWay(record),
  ]);
  return { rows, resultOf: (row: number) => results.get(row), underWay: new Set(underWay) };
}

function pendingStatus(record: ImportRecord, isUnderWay: boolean): ShownRowStatus {
  if (isUnderWay) return 'running';
  return isImportEnded(record.status) ? 'cancelled' : 'queued';
}

/** What stands in another record by now: the decision about a row in review, the record a duplicate stands for. */
async function currentResult(
  deps: ReadImportDeps,
  record: ImportRecord,
  row: number,
  result: RowResult | undefined,
): Promise<RowResult | undefined> {
  if (result?.status === 'needs_review') {
    const job = await deps.jobs.find(rowJobId(record.id, row));
    return (job && resultOfJob(job)) ?? result;
  }
  if (result?.status !== 'duplicate' || result.remoteId !== undefined || result.owner === undefined)
    return result;
  const owner = rowOfJobId(result.owner);
  const other = owner && (await deps.imports.find(owner.importId));
  const written = other && (await deps.rows.result(other, owner.row));
  return { ...result, remoteId: written?.remoteId };
}

const JOB_STATUS_OF: Record<Exclude<RowStatus, 'duplicate'>, JobStatus> = {
  succeeded: 'succeeded',
  failed: 'failed',
  needs_review: 'needs_review',
  cancelled: 'cancelled',
};

/**
 * The job that a row is, was or will be, made from what is kept of it. Undefined for a duplicate, which never is one.
 */
function jobOfRow(
  record: ImportRecord,
  stored: StoredRow,
  result: RowResult | undefined,
): JobRecord | undefined {
  if (result?.status === 'duplicate') return undefined;
  const onUnsupported = record.options.onUnsupported;
  const job = newJobRecord(
    rowJobId(record.id, stored.row),
    {
      workspace: record.workspace,
      account: record.account,
      provider: record.provider,
      request: {
        query: {
          response_format: 'unified',
          ...(onUnsupported === undefined ? {} : { on_unsupported: onUnsupported }),
        },
        body: bodyOf(stored),
      },
      appliedDefaults: {},
      warnings: [],
      requestId: record.requestId,
      importId: record.id,
    },
    undefined,
    record.createdAtMs,
  );
  const status = result
    ? JOB_STATUS_OF[result.status]
    : isImportEnded(record.status)
      ? 'cancelled'
      : 'queued';
  if (!isSettled(status)) return job;
  return {
    ...job,
    status,
    attemptNumber: result?.attempt ?? 0,
    sequence: result?.sequence || job.sequence,
    updatedAtMs: record.updatedAtMs,
    finishedAtMs: record.updatedAtMs,
    ...(result?.remoteId ? { result: { id: result.remoteId } } : {}),
    ...(status === 'succeeded'
      ? {}
      : { error: errorOf(result ?? { status: 'cancelled', code: 'cancelled' }) }),
  };
}

/** As it came where it was no opportunity; of a row of a CSV there is nothing then. */
function bodyOf({ body, original }: StoredRow): Record<string, unknown> {
  const value: unknown = JSON.parse(body ?? original);
  return isJsonObject(value) ? value : {};
}

function errorOf({ code = 'worker_fault', message, pointer }: RowResult): JobRecord['error'] {
  const entry = isErrorCode(code) ? ERROR_CATALOGUE[code] : ERROR_CATALOGUE.invalid_body;
  const text = message ?? entry.meaning;
  const own = isErrorCode(code) ? code : 'invalid_body';
  return {
    statusCode: entry.statusCode,
    error: reasonPhrase(entry.statusCode),
    message: text,
    // What is wrong with a field is said of the field; the error's own code is one of the catalogue.
    code: own,
    retryable: entry.retryable,
    ...(pointer === undefined
      ? {}
      : { details: { failures: [{ pointer, code: isFieldCode(code) ? code : own, message: text }] } }),
  };
}

/** Finds jobs, those of rows included that are not jobs now: they are made from what is kept of the row. */
export function createJobFinder(deps: ReadImportDeps): JobStore['find'] {
  return async (id) => {
    const job = await deps.jobs.find(id);
    const at = job ? undefined : rowOfJobId(id);
    const record = at && (await deps.imports.find(at.importId));
    if (!at || !record || at.row > record.counts.total) return job;
    const { rows, resultOf } = await readChunk(deps, record, chunkOfRow(at.row));
    const stored = rows.find(({ row }) => row === at.row);
    return stored && jobOfRow(record, stored, resultOf(at.row));
  };
}

/** Chunks read for one page at most: a filter that hardly matches gives a short page with a cursor. */
const CHUNKS_MAX = 10;

/** One page of an import's rows as jobs, the last row first. */
export async function listRowJobs(
  deps: ReadImportDeps,
  record: ImportRecord,
  filter: { statuses?: readonly JobStatus[]; cursor?: string; limit: number },
): Promise<JobPage> {
  const after = filter.cursor === undefined ? undefined : rowOfJobId(filter.cursor);
  let row = after === undefined ? record.counts.total : after.row - 1;
  const jobs: JobRecord[] = [];
  for (let read = 0; row > 0 && read < CHUNKS_MAX; read++) {
    const chunk = chunkOfRow(row);
    const { rows, resultOf, underWay } = await readChunk(deps, record, chunk);
    const wanted = rows.filter((stored) => stored.row <= row).reverse();
    for (const stored of wanted) {
      row = stored.row - 1;
      const result = resultOf(stored.row);
      const isReal = underWay.has(stored.row) || result?.status === 'needs_review';
      const real = isReal ? await deps.jobs.find(rowJobId(record.id, stored.row)) : undefined;
      const job = real ?? jobOfRow(record, stored, result);
      if (!job || (filter.statuses && !filter.statuses.includes(job.status))) continue;
      jobs.push(job);
      if (jobs.length === filter.limit) return { jobs, ...(row > 0 ? { nextCursor: job.id } : {}) };
    }
    row = firstRowOfChunk(chunk) - 1;
  }
  return { jobs, ...(row > 0 ? { nextCursor: rowJobId(record.id, row + 1) } : {}) };
}
