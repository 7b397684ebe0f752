import {
  chunkOfRow,
  firstRowOfChunk,
  type ImportRecord,
  type StoredRow,
} from '../../shared/domain/import.ts';
import { rowJobId, rowOfJobId } from '../../shared/ids.ts';
import type { BatchRow } from '../../shared/providers/batch-port.ts';
import type { WritePlan } from '../../shared/providers/port.ts';
import type { EarlierLife } from '../../shared/stores/import-row-store.ts';
import type { BatchRun } from './batch-run.ts';
import { beginRow, planRow, type RowContext } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';

/** A row of a batch, with what is needed to make it a job of its own if the batch does not settle it. */
export type Carried = { stored: StoredRow; earlier?: EarlierLife; row: BatchRow };

/** Where the next rows are taken from; the taking moves it on. */
export type Cursor = {
  from: number;
  readonly to: number;
  /** Rows that are jobs. */
  readonly underWay: ReadonlySet<number>;
};

/** Rows of a chunk that are still to be begun. */
export type Resting = {
  chunk: number;
  rows: StoredRow[];
  again: ReadonlyMap<number, EarlierLife>;
  /** Those whose job was kept from an earlier life, perhaps with a person's word about it: they go on as that job. */
  jobs: ReadonlySet<number>;
};

/** The rows of one chunk, from the cursor on, that are still to be begun. */
export async function restingRows(
  deps: Pick<FeederDeps, 'rows'>,
  record: ImportRecord,
  { from, to, underWay }: Cursor,
): Promise<Resting> {
  const chunk = chunkOfRow(from);
  const [stored = [], { results, again }] = await Promise.all([
    deps.rows.chunk(record, chunk),
    deps.rows.results(record, chunk),
  ]);
  const rows = stored.filter(
    ({ row }) =>
      row >= from &&
      row <= to &&
      !results.has(row) &&
      !underWay.has(row) &&
      (!record.retrying || again.has(row)),
  );
  const lived = rows.filter(({ row }) => again.has(row)).map(({ row }) => row);
  const statuses = await deps.rows.statuses(record, lived);
  return { chunk, rows, again, jobs: new Set(lived.filter((_, i) => statuses[i] !== undefined)) };
}

/**
 * The next rows that fit into one call, all of one chunk. A row that a batch cannot carry becomes a job of its own, one that
 * cannot be written gets its result.
 * @param isBusy chunks that have a batch: none has two, so that no row is sent twice at once.
 * @returns undefined when there is none for now; the cursor says whether there will be.
 */
export async function takeRows(
  run: BatchRun,
  cursor: Cursor,
  isBusy: (chunk: number) => boolean,
): Promise<Carried[] | undefined> {
  while (cursor.from <= cursor.to) {
    const chunk = chunkOfRow(cursor.from);
    const isBegun = cursor.from > firstRowOfChunk(chunk);
    if (isBusy(chunk)) {
      // What did not fit into its call goes when that is over.
      if (isBegun) return undefined;
      cursor.from = firstRowOfChunk(chunk + 1);
      continue;
    }
    const resting = await restingRows(run.deps, run.record, cursor);
    const { carried, last } = await carry(run, resting);
    const isWhole = last === undefined || last === resting.rows.at(-1)?.row;
    cursor.from = isWhole ? firstRowOfChunk(chunk + 1) : last + 1;
    if (carried.length > 0) return carried;
  }
  return undefined;
}

async function carry(
  run: BatchRun,
  { rows, again, jobs }: Resting,
): Promise<{ carried: Carried[]; last: number | undefined }> {
  const wanted = thoseThatFit(
    run,
    rows.slice(0, run.descriptor.rowsMax).map((stored) => ({
      stored,
      earlier: again.get(stored.row),
      row: jobs.has(stored.row) ? undefined : carriable(run, stored),
    })),
  );
  // Asked for in the order of the rows, all at once: of equal dedupe keys the first row's counts.
  const carried = await Promise.all(
    wanted.map(async ({ stored, earlier, row }): Promise<Carried[]> => {
      if (row && (await isFree(run.deps, run.record, stored))) return [{ stored, earlier, row }];
      await beginRow(run.deps, run, stored, earlier);
      return [];
    }),
  );
  return { carried: carried.flat(), last: wanted.at(-1)?.stored.row };
}

function thoseThatFit<T extends { stored: StoredRow; row: BatchRow | undefined }>(
  { descriptor: { bytesMax } }: BatchRun,
  rows: readonly T[],
): readonly T[] {
  // Rows are far from it, as a rule; then none has to be measured.
  const sum = rows.reduce((chars, { stored }) => chars + (stored.body?.length ?? 0), 0);
  if (sum < bytesMax / 16) return rows;
  let bytes = 0;
  const over = rows.findIndex(({ row }, i) => {
    bytes += row ? Buffer.byteLength(JSON.stringify(row.plan.create.body)) : 0;
    return i > 0 && bytes > bytesMax;
  });
  return over === -1 ? rows : rows.slice(0, over);
}

/** The row as it travels with others; undefined when it has to go alone, or cannot be written. */
export function carriable(
  run: RowContext & Pick<BatchRun, 'deps' | 'descriptor'>,
  stored: StoredRow,
  canCarry: (plan: WritePlan) => boolean = run.descriptor.canCarry,
): BatchRow | undefined {
  const planned = planRow(run.deps, run, stored);
  // Without a plan something may be stale; a job refreshes it and sees.
  if (!planned.ok || planned.plan === undefined || !canCarry(planned.plan)) return undefined;
  return { key: rowJobId(run.record.id, stored.row), plan: planned.plan };
}

/** Whether the row's dedupe key is its own now; if it is another's, {@link beginRow} settles that. */
export async function isFree(
  deps: FeederDeps,
  record: ImportRecord,
  { row, dedupeKey }: StoredRow,
): Promise<boolean> {
  if (dedupeKey === undefined) return true;
  const owner = await deps.batches.claim(record, row, dedupeKey);
  if (owner === undefined) return true;
  const at = rowOfJobId(owner);
  if (at && (await deps.imports.find(at.importId))) return false;
  return (await deps.batches.claim(record, row, dedupeKey, owner)) === undefined;
}

/** The keys of rows that are not begun after all: other rows may have them. */
export async function freeKeys(
  deps: Pick<FeederDeps, 'batches'>,
  record: ImportRecord,
  rows: readonly StoredRow[],
): Promise<void> {
  await Promise.all(
    rows.map(({ row, dedupeKey }) =>
      dedupeKey === undefined ? undefined : deps.batches.free(record, row, dedupeKey),
    ),
  );
}
