import type { BulkClient } from '../../shared/providers/batch-port.ts';
import { type BulkQuestion, bulkPays } from '../../shared/providers/bulk-pays.ts';
import { paceOf } from '../../shared/providers/pace.ts';
import type { Harvest } from '../../shared/use-cases/work-rows.ts';
import { type NextStep, waitUntil } from '../next-step.ts';
import type { Cursor } from './batch-rows.ts';
import { type BatchRun, isOlderThanEpoch } from './batch-run.ts';
import type { LaneWidths } from './lane-widths.ts';
import { workLanes } from './lanes.ts';
import { beginBulk, restLeft, workBulk } from './work-bulk.ts';

/** Rows that became jobs of their own, beyond which no further batch is sent. */
const ALONE_MAX = 400;
const STILL_MS = 500;

export type TogetherInput = {
  client: BulkClient | undefined;
  open: Harvest['open'];
  isHeld: boolean;
  widths: LaneWidths;
  /** Stops the import if too many of its rows have failed; true: it begins none now. */
  isStopped: () => Promise<boolean>;
};

/**
 * One look at an import whose rows go together: a bulk job that is under way goes on, else batches do, else the next rows go in
 * whichever way pays.
 * @returns undefined when nothing is under way and no row is left to take.
 */
export async function workTogether(run: BatchRun, input: TogetherInput): Promise<NextStep | undefined> {
  const { deps, record, descriptor, account } = run;
  const { client, isHeld, open } = input;
  const bulk = await deps.bulks.find(record);
  if (client && bulk && bulk.left === undefined) return workBulk({ ...run, client }, bulk, isHeld);
  const isPossible = descriptor.isPossible(account.settings);
  if (client && bulk?.left === 'unwritten' && (isHeld || !isPossible))
    return restLeft({ ...run, client }, bulk);
  const underWay = new Set(open.map(({ row }) => row));
  const cursor: Cursor = bulk
    ? { from: bulk.first, to: bulk.last, underWay }
    : { from: record.nextRow, to: record.counts.total, underWay };
  const isCrowded = open.length >= ALONE_MAX;
  const mayTake = !isCrowded && (bulk?.left === 'doubted' || (isPossible && !isHeld));
  // Rows that may have been written are looked for, two hundred at a time; a bulk job would only write over them.
  const goesInBulk =
    mayTake && !bulk && client !== undefined && !isOlderThanEpoch(run) && (await wantsBulk(run));
  const lanes = await workLanes(run, {
    widths: input.widths,
    cursor,
    onlyResume: !mayTake || goesInBulk,
    doubtedIn: bulk?.left === 'doubted' ? bulk.keyField : undefined,
    onOver: async () => (await deps.rows.jobCount(record)) >= ALONE_MAX || (await input.isStopped()),
  });
  if (!bulk && cursor.from !== record.nextRow) await deps.imports.lookFrom(record, cursor.from);
  if (lanes.kind === 'wait') return waitUntil(lanes.untilMs);
  if (goesInBulk && client) return beginBulk({ ...run, client }, cursor);
  if (isCrowded && (bulk || !isHeld)) return waitUntil(deps.clock.nowMs() + STILL_MS);
  if (!bulk) return undefined;
  await deps.bulks.drop(record, bulk, bulk.last + 1);
  return waitUntil(deps.clock.nowMs() + 1);
}

/** Whether the next rows go in a bulk job. With `auto` that is seen whenever some are taken, since the calls of the day go on. */
async function wantsBulk({ deps, record, account, descriptor }: BatchRun): Promise<boolean> {
  const isBulk = record.strategy === 'bulk';
  if (record.bulkRefused) return false;
  // What a bulk import began with it ends with, but for the few rows of a retry.
  if (record.options.strategy !== 'auto' || (isBulk && !record.retrying)) return isBulk;
  if (descriptor.bulkRowsMax === undefined) return false;
  const { daily } = await deps.readGate(account.id, deps.clock.nowMs());
  const { dailyShare } = paceOf(deps.descriptorOf(account.provider), account.settings);
  const question = {
    rows: record.counts.queued,
    rowsPerBatch: descriptor.rowsMax,
    rowsPerJob: descriptor.bulkRowsMax,
    daily,
    reservePercent: (1 - dailyShare) * 100,
  };
  const pays = bulkPays(question);
  if (pays !== isBulk) {
    const patch = pays
      ? { strategy: 'bulk' as const, strategyReason: reasonOf(question) }
      : { strategy: 'collections' as const, strategyReason: `${descriptor.rowsMax} rows go in one call.` };
    await deps.imports.move(record, { from: ['queued', 'running'], patch });
  }
  return pays;
}

function reasonOf({ rows, rowsPerBatch, daily = { used: 0, max: 0 } }: BulkQuestion): string {
  const calls = Math.ceil(rows / rowsPerBatch);
  return `${rowsPerBatch} rows a call would take ${calls} of the ${daily.max - daily.used} calls that are left of the day.`;
}
