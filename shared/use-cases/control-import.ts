import { AppError } from '../app-error.ts';
import { chunkOfRow, type ImportRecord, type ImportStatus, isImportEnded } from '../domain/import.ts';
import { rowOfJobId } from '../ids.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import type { ImportRowStore } from '../stores/import-row-store.ts';
import type { ImportStore } from '../stores/import-store.ts';
import type { JobStore } from '../stores/job-store.ts';
import { type FinishDeps, finishImport, giveUpUpload } from './finish-import.ts';
import { harvestRows, type WorkRowsDeps, withdrawRows } from './work-rows.ts';

export type ControlImportDeps = FinishDeps &
  WorkRowsDeps & {
    imports: Pick<ImportStore, 'find' | 'move' | 'expire' | 'persist' | 'giveUp' | 'erase'>;
    rows: WorkRowsDeps['rows'] & Pick<ImportRowStore, 'reopen' | 'result'>;
    queues: WorkRowsDeps['queues'] & Pick<AccountQueues, 'addImport' | 'activate'>;
  };

const WORKED: readonly ImportStatus[] = ['queued', 'running'];
const ENDED: readonly ImportStatus[] = ['completed', 'cancelled', 'failed'];

/**
 * Begins no further row; those under way finish. Pausing twice changes nothing.
 * @throws AppError 409 when it has ended or is still being received.
 */
export async function pauseImport(deps: ControlImportDeps, record: ImportRecord): Promise<void> {
  const moved = await deps.imports.move(record, { to: 'paused', from: WORKED });
  if (moved.kind !== 'moved') {
    if (moved.kind === 'refused' && moved.status === 'paused') return;
    throw refused(moved, 'paused');
  }
  await withdrawRows(deps, record, 'wait');
}

/** @throws AppError 409 when it has ended or is still being received. */
export async function resumeImport(deps: ControlImportDeps, record: ImportRecord): Promise<void> {
  const moved = await deps.imports.move(record, { to: 'queued', from: ['paused'], newGeneration: true });
  if (moved.kind === 'moved') return feed(deps, record, moved.generation);
  if (moved.kind !== 'refused' || !WORKED.includes(moved.status as ImportStatus)) {
    throw refused(moved, 'resumed');
  }
}

/**
 * Rows that have not begun are cancelled, those under way finish; then it has ended.
 * @throws AppError 409 when it has ended otherwise, or is still being received.
 */
export async function cancelImport(deps: ControlImportDeps, record: ImportRecord): Promise<void> {
  const moved = await deps.imports.move(record, {
    from: [...WORKED, 'paused'],
    newGeneration: true,
    patch: { stop: 'cancelled' },
  });
  if (moved.kind !== 'moved') {
    if (moved.kind === 'refused' && moved.status === 'cancelled') return;
    throw refused(moved, 'cancelled');
  }
  await withdrawRows(deps, record, 'cancel');
  await harvestRows(deps, record);
  // What is under way ends there; its queue may be held, so whatever can be done is done here.
  if (!(await finishImport(deps, record.id))) await feed(deps, record, moved.generation);
}

/** As {@link cancelImport}, for one that is to go whatever it is: its account is being deleted. */
export async function endImport(deps: ControlImportDeps, id: string): Promise<void> {
  const record = await deps.imports.find(id);
  if (!record || isImportEnded(record.status)) return;
  if (record.status === 'receiving') return giveUpUpload(deps, record);
  await cancelImport(deps, record);
}

/**
 * Begins the failed rows of an ended import again, each with the id it had. Rows in review stay as they are.
 * @throws AppError 409 while it is open, or when no row failed.
 */
export async function retryFailedRows(deps: ControlImportDeps, record: ImportRecord): Promise<void> {
  if (!isImportEnded(record.status)) throw conflict(record.status, 'retried');
  await deps.imports.persist(record);
  let taken = 0;
  for (let chunk = 0; chunk < record.chunks; chunk++) {
    const rows = (await deps.rows.chunk(record, chunk)) ?? [];
    // What could not be read as an opportunity cannot be read better now; what the account refused may be taken.
    const readable = new Set(rows.filter(({ body }) => body !== undefined).map(({ row }) => row));
    taken += await deps.rows.reopen(record, chunk, 'failed', (row) => readable.has(row));
  }
  // A call that died here has taken results back already: those rows count as queued.
  if (taken === 0 && record.counts.queued === 0) {
    if (record.counts.needs_review === 0) await deps.imports.expire(record);
    throw new AppError('conflict', 'The import has no failed rows that could be tried again.');
  }
  await workAgain(deps, record);
}

/** @throws AppError 409 while it is open. */
export async function deleteImport(deps: ControlImportDeps, record: ImportRecord): Promise<void> {
  if (!isImportEnded(record.status)) throw conflict(record.status, 'deleted');
  await deps.imports.erase(record);
}

export type FollowRowDeps = {
  imports: Pick<ImportStore, 'find' | 'move' | 'persist'>;
  rows: Pick<ImportRowStore, 'reopen' | 'result'>;
  jobs: Pick<JobStore, 'find'>;
  queues: Pick<AccountQueues, 'addImport' | 'activate'>;
};

/**
 * The job of a row that had its result was moved by a person's word or a late answer: the row's result, and the counts, follow
 * it. Does nothing for other jobs, nor for a row whose result says what its job does.
 */
export async function followRow(deps: FollowRowDeps, jobId: string): Promise<void> {
  const at = rowOfJobId(jobId);
  const result = at && (await deps.rows.result({ id: at.importId }, at.row));
  if (!result) return;
  const [record, job] = await Promise.all([deps.imports.find(at.importId), deps.jobs.find(jobId)]);
  if (!record || !job || job.status === result.status) return;
  await deps.imports.persist(record);
  const taken = await deps.rows.reopen(record, chunkOfRow(at.row), result.status, (row) => row === at.row);
  if (taken > 0) await workAgain(deps, record);
}

async function workAgain(
  deps: Pick<FollowRowDeps, 'imports' | 'queues'>,
  record: ImportRecord,
): Promise<void> {
  const moved = await deps.imports.move(record, {
    to: 'queued',
    from: ENDED,
    newGeneration: true,
    patch: { retrying: true, stop: null, error: undefined, finishedAtMs: undefined },
  });
  // Open again by somebody else: its feeder finds the rows.
  if (moved.kind === 'moved') await feed(deps, record, moved.generation);
}

async function feed(
  deps: Pick<FollowRowDeps, 'queues'>,
  record: ImportRecord,
  generation: number,
): Promise<void> {
  await deps.queues.addImport(record.account, record.id, generation);
  await deps.queues.activate(record.account);
}

function refused(moved: { kind: string; status?: string }, wanted: string): AppError {
  return conflict(moved.status ?? moved.kind, wanted);
}

function conflict(status: string, wanted: string): AppError {
  if (status === 'missing') return new AppError('not_found', 'There is no such import.');
  return new AppError('conflict', `The import is ${status} and cannot be ${wanted}.`);
}
