import { firstRowOfChunk, type StoredRow } from '../../shared/domain/import.ts';
import type { BulkClient } from '../../shared/providers/batch-port.ts';
import { type Cursor, carriable, freeKeys, isFree, restingRows } from './batch-rows.ts';
import type { BatchRun } from './batch-run.ts';
import { beginRow } from './begin-row.ts';

/** A file, and the rows it was made from: some of them may not be in it, since a file cannot say everything. */
export type Collected = { first: number; last: number; rows: number; text: string };

/**
 * The next rows as one file, as many as it takes. Rows whose dedupe key is another's get their result on the way; what the
 * file cannot say stays as it is, and goes in batches when the job is over.
 * @returns undefined when there is no further row.
 */
export async function collectFile(
  run: BatchRun,
  client: BulkClient,
  { from, to, underWay }: Cursor,
): Promise<Collected | undefined> {
  const { deps, record, account } = run;
  const file = client.newFile(account.settings);
  const cursor = { from, to, underWay };
  let first: number | undefined;
  let last = from;
  let isFull = false;
  while (cursor.from <= to && !isFull) {
    const { chunk, rows, again, jobs } = await restingRows(deps, record, cursor);
    cursor.from = firstRowOfChunk(chunk + 1);
    // Asked for in the order of the rows, all at once: of equal dedupe keys the first row's counts.
    const free = await Promise.all(rows.map((stored) => isFree(deps, record, stored)));
    const notIn: StoredRow[] = [];
    for (const [i, stored] of rows.entries()) {
      const isNew = free[i] && !jobs.has(stored.row);
      const row = isNew ? carriable(run, stored, client.canCarry) : undefined;
      isFull ||= row !== undefined && !file.add(row);
      if (isFull) notIn.push(stored);
      else {
        if (!free[i]) await beginRow(deps, run, stored, again.get(stored.row));
        first ??= stored.row;
        last = stored.row;
      }
    }
    await freeKeys(deps, record, notIn);
  }
  if (first === undefined) return undefined;
  return { first, last, rows: file.rows(), text: file.text() };
}
