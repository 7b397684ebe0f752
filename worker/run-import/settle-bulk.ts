import { chunkOfRow, firstRowOfChunk, type RowResult } from '../../shared/domain/import.ts';
import { rowJobId } from '../../shared/ids.ts';
import type { BulkResults } from '../../shared/providers/batch-port.ts';
import type { ImportBulk } from '../../shared/stores/import-bulk-store.ts';
import { restingRows } from './batch-rows.ts';
import type { BatchRun } from './batch-run.ts';
import { isNotNow, resultOf, type Settled, settleTogether } from './settle-batch.ts';

/** What the results of a job left of its rows. */
export type BulkLeft = { rows: number; isDoubted: boolean };

/**
 * Stores what a bulk job says of its rows, chunk by chunk; done again after a crash, it changes nothing. Written or refused is a
 * result. What was locked or not begun with was not written. Of the others nobody can say: they are in doubt.
 */
export async function settleBulk(
  run: BatchRun,
  bulk: ImportBulk,
  { outcomes, unprocessed }: BulkResults,
): Promise<BulkLeft> {
  const { deps, record } = run;
  const underWay = new Set(await deps.rows.underWay(record));
  const left: BulkLeft = { rows: 0, isDoubted: false };
  for (let chunk = chunkOfRow(bulk.first); firstRowOfChunk(chunk) <= bulk.last; chunk++) {
    const from = Math.max(bulk.first, firstRowOfChunk(chunk));
    const { rows, again } = await restingRows(deps, record, { from, to: bulk.last, underWay });
    const settled: Settled[] = [];
    for (const stored of rows) {
      const key = rowJobId(record.id, stored.row);
      const outcome = outcomes.get(key)?.outcome;
      const result: RowResult | undefined = resultOf(outcome, again.get(stored.row));
      if (result) settled.push({ stored, result });
      else {
        left.rows += 1;
        left.isDoubted ||= !isNotNow(outcome) && !unprocessed.has(key);
      }
    }
    await settleTogether(deps, record, 'bulk', settled);
  }
  return left;
}
