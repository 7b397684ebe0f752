import {
  chunkOfRow,
  firstRowOfChunk,
  type ImportRecord,
  type StoredRow,
} from '../../shared/domain/import.ts';
import { rowJobId, rowOfJobId } from '../../shared/ids.ts';
import type { BatchDescriptor, BatchRow } from '../../shared/providers/batch-port.ts';
import { type EarlierLife, jobOfOwner } from '../../shared/stores/import-row-store.ts';
import { beginRow, planRow, type RowContext } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';

/** A row of a batch, with what is needed to make it a job of its own if the batch does not settle it. */
export type Carried = { stored: StoredRow; earlier?: EarlierLife; row: BatchRow };

export type Taken = {
  carried: Carried[];
  /** Rows that went another way: they have their result or are jobs. */
  others: number;
};

/**
 * The next rows that fit into one call, from one chunk. A row that a batch cannot carry becomes a job of its own, one that
 * cannot be written gets its result.
 * @returns undefined when there is no further row.
 */
export async function takeRows(
  deps: FeederDeps,
  context: RowContext,
  batch: BatchDescriptor,
  underWay: ReadonlySet<number>,
): Promise<Taken | undefined> {
  const { record } = context;
  let from = record.nextRow;
  while (from <= record.counts.total) {
    const chunk = chunkOfRow(from);
    const [stored = [], { results, again }] = await Promise.all([
      deps.rows.chunk(record, chunk),
      deps.rows.results(record, chunk),
    ]);
    const start = from;
    const next = stored.filter(
      ({ row }) =>
        row >= start && !results.has(row) && !underWay.has(row) && (!record.retrying || again.has(row)),
    );
    from = firstRowOfChunk(chunk + 1);
    if (next.length === 0) continue;
    const { last, ...taken } = await carry(deps, context, batch, next, again);
    await deps.imports.lookFrom(record, last === next.at(-1)?.row ? from : last + 1);
    return taken;
  }
  if (from !== record.nextRow) await deps.imports.lookFrom(record, from);
  return undefined;
}

async function carry(
  deps: FeederDeps,
  context: RowContext,
  batch: BatchDescriptor,
  next: readonly StoredRow[],
  again: ReadonlyMap<number, EarlierLife>,
): Promise<Taken & { last: number }> {
  const { record } = context;
  const taken = { carried: [] as Carried[], others: 0, last: record.nextRow };
  let bytes = 0;
  for (const stored of next.slice(0, batch.rowsMax)) {
    const earlier = again.get(stored.row);
    const row = carriable(deps, context, batch, stored);
    const size = row ? JSON.stringify(row.plan.create.body).length : 0;
    if (taken.carried.length > 0 && bytes + size > batch.bytesMax) break;
    taken.last = stored.row;
    if (row && (await isFree(deps, record, stored))) {
      bytes += size;
      taken.carried.push({ stored, earlier, row });
    } else {
      taken.others += 1;
      await beginRow(deps, context, stored, earlier);
    }
  }
  return taken;
}

/** The row as a batch takes it; undefined when it has to go alone, or cannot be written. */
export function carriable(
  deps: FeederDeps,
  context: RowContext,
  batch: BatchDescriptor,
  stored: StoredRow,
): BatchRow | undefined {
  const planned = planRow(deps, context, stored);
  // Without a plan something may be stale; a job refreshes it and sees.
  if (!planned.ok || planned.plan === undefined || !batch.canCarry(planned.plan)) return undefined;
  return { key: rowJobId(context.record.id, stored.row), plan: planned.plan };
}

/** Whether the row's dedupe key is its own now; if it is another's, {@link beginRow} settles that. */
async function isFree(
  deps: FeederDeps,
  record: ImportRecord,
  { row, dedupeKey }: StoredRow,
): Promise<boolean> {
  if (dedupeKey === undefined) return true;
  const owner = await deps.batches.claim(record, row, dedupeKey);
  if (owner === undefined) return true;
  const at = rowOfJobId(jobOfOwner(owner));
  if (at && (await deps.imports.find(at.importId))) return false;
  return (await deps.batches.claim(record, row, dedupeKey, owner)) === undefined;
}
