import type { ImportRecord, RowResult } from '../domain/import.ts';
import { chunkOfRow } from '../domain/import.ts';
import { isSettled, type JobRecord, type JobStatus } from '../domain/job.ts';
import { rowJobId } from '../ids.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import type { ImportRowStore } from '../stores/import-row-store.ts';
import type { JobStore } from '../stores/job-store.ts';

export type WorkRowsDeps = {
  rows: Pick<ImportRowStore, 'underWay' | 'statuses' | 'settle' | 'giveBack' | 'chunk'>;
  jobs: Pick<JobStore, 'find'>;
  queues: Pick<AccountQueues, 'remove'>;
};

const CANCELLED: RowResult = {
  status: 'cancelled',
  code: 'cancelled',
  message: 'The import was stopped before this row was begun.',
};

/** What became of the jobs of an import's rows. */
export type Harvest = {
  /** Rows that got their result just now. */
  settled: number;
  /** Rows still under way, with the status of their jobs. */
  open: { row: number; status: JobStatus }[];
};

/**
 * Turns ended jobs of rows into results. Record and engine job of a row are gone afterwards; a record stays where it may
 * still be needed: see {@link keepsRecord}. May be repeated, and run at several places at once.
 */
export async function harvestRows(deps: WorkRowsDeps, record: ImportRecord): Promise<Harvest> {
  const rows = await deps.rows.underWay(record);
  const statuses = await deps.rows.statuses(record, rows);
  const open: Harvest['open'] = [];
  const over: number[] = [];
  for (const [i, row] of rows.entries()) {
    const status = statuses[i];
    if (status === undefined || isSettled(status)) over.push(row);
    else open.push({ row, status });
  }
  const settled = await Promise.all(over.map((row) => settleRow(deps, record, row)));
  return { settled: settled.filter(Boolean).length, open };
}

async function settleRow(deps: WorkRowsDeps, record: ImportRecord, row: number): Promise<boolean> {
  const job = await deps.jobs.find(rowJobId(record.id, row));
  if (!job) {
    // Nobody removes the record of an open row; if it is lost all the same, only a person can tell.
    const message = 'The record of this row is gone; whether it was written is not known.';
    return deps.rows.settle(record, row, { status: 'needs_review', code: 'outcome_unknown', message });
  }
  const result = resultOfJob(job);
  if (!result) return false;
  const dedupeKey =
    result.status === 'failed' || result.status === 'cancelled'
      ? await dedupeKeyOf(deps, record, row)
      : undefined;
  return deps.rows.settle(record, row, result, {
    job: { status: job.status, keep: keepsRecord(job) },
    dedupeKey,
  });
}

export async function dedupeKeyOf(
  deps: { rows: Pick<ImportRowStore, 'chunk'> },
  record: ImportRecord,
  row: number,
): Promise<string | undefined> {
  const chunk = await deps.rows.chunk(record, chunkOfRow(row));
  return chunk?.find((stored) => stored.row === row)?.dedupeKey;
}

/**
 * What a person must decide, what may have been sent without an answer (a later job may have to know whose record it
 * found), and what has follow-up calls to repeat.
 */
function keepsRecord(job: JobRecord): boolean {
  const isIncomplete = Object.values(job.followUps).some((state) => state !== 'done');
  return job.status === 'needs_review' || job.unknownSends.length > 0 || isIncomplete;
}

/** The result of a settled job; undefined while it is open. Pure. */
export function resultOfJob(job: JobRecord): RowResult | undefined {
  const { status, error } = job;
  // Only where events count by it: a result is to stay small.
  const sequence = job.rowEvents ? job.sequence : undefined;
  if (status === 'succeeded')
    return { status, remoteId: job.written?.remoteId ?? idOf(job.result), sequence };
  if (status !== 'failed' && status !== 'cancelled' && status !== 'needs_review') return undefined;
  return {
    status,
    code: error?.code ?? status,
    message: error?.message,
    pointer: error?.details?.failures[0]?.pointer,
    attempt: job.attemptNumber,
    generation: job.generation,
    sequence,
  };
}

function idOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null || !('id' in result)) return undefined;
  return typeof result.id === 'string' ? result.id : undefined;
}

/** Unmakes the jobs of rows that have not begun: they wait as rows again, or are cancelled. */
export async function withdrawRows(
  deps: WorkRowsDeps,
  record: ImportRecord,
  wanted: 'wait' | 'cancel',
): Promise<void> {
  const rows = await deps.rows.underWay(record);
  await Promise.all(
    rows.map(async (row) => {
      const job = await deps.jobs.find(rowJobId(record.id, row));
      if (!job || (job.status !== 'queued' && job.status !== 'waiting')) return;
      const { attemptNumber: attempt, generation, sequence } = job;
      const unmade = await deps.rows.giveBack(record, row, generation, {
        ...(wanted === 'cancel'
          ? { cancelled: { ...CANCELLED, attempt, generation, sequence: sequence + 1 } }
          : {}),
        dedupeKey: await dedupeKeyOf(deps, record, row),
      });
      if (unmade) await deps.queues.remove(record.account, job.id, generation);
    }),
  );
}
