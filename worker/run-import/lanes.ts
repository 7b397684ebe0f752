import { chunkOfRow, firstRowOfChunk } from '../../shared/domain/import.ts';
import { paceOf } from '../../shared/providers/pace.ts';
import { beginBatch, resumeBatch } from './batch.ts';
import { type Cursor, restingRows, takeRows } from './batch-rows.ts';
import type { BatchRun, BatchStep } from './batch-run.ts';
import type { LaneWidths } from './lane-widths.ts';

/** Batches of one import under way at once, at most; beyond that a process is busy with them, not with waiting. */
const LANES_MAX = 16;
/**
 * How long a look begins further batches. It holds one place of the account's in the engine, so it must end; each end lets what
 * is under way run dry, so it lasts for some calls where these take long.
 */
const LOOK_MS = 1_000;
const LOOK_CALLS = 10;
const LOOK_MS_MAX = 5_000;

export type LanesInput = {
  widths: LaneWidths;
  cursor: Cursor;
  /** No further rows are taken. */
  onlyResume?: boolean;
  /** The rows went in a bulk job that may have written them: the field that has their keys there. */
  doubtedIn?: string;
  /** A batch is over; true: begin no more. */
  onOver?: () => Promise<boolean>;
};

export type LanesEnd =
  /** Nothing is left to take or to resume. */
  { kind: 'through' } | { kind: 'wait'; untilMs: number };

/** Batches of one import that may be under way at once: the account's calls at once, less those left to single creates. */
function lanesOf({ deps, account }: BatchRun): number {
  const { concurrency } = paceOf(deps.descriptorOf(account.provider), account.settings);
  return Math.max(1, Math.min(LANES_MAX, concurrency - Math.max(1, Math.floor(concurrency / 10))));
}

/** Works an import's batches for a while, several at once, each of another chunk. */
export async function workLanes(run: BatchRun, input: LanesInput): Promise<LanesEnd> {
  const { deps, record } = run;
  const { cursor, widths } = input;
  const max = lanesOf(run);
  const flying = new Map<number, Promise<void>>();
  /** Chunk of a batch that goes on later → when. */
  const waiting = new Map<number, number>();
  for (const { chunk } of await deps.batches.list(record)) waiting.set(chunk, 0);
  const beganMs = deps.clock.nowMs();
  let lookMs = max === 1 ? 0 : LOOK_MS;
  let heldUntilMs: number | undefined;
  let isThrough = input.onlyResume === true;
  let fault: { err: unknown } | undefined;

  function fly(chunk: number, firstRow: number | undefined, step: Promise<BatchStep>): void {
    waiting.delete(chunk);
    const fromMs = deps.clock.nowMs();
    const land = async (): Promise<void> => {
      const ended = await step;
      const tookMs = deps.clock.nowMs() - fromMs;
      if (max > 1) lookMs = Math.min(LOOK_MS_MAX, Math.max(lookMs, LOOK_CALLS * tookMs));
      switch (ended.kind) {
        case 'over':
          widths.wider(record.id, max);
          if (await input.onOver?.()) heldUntilMs ??= deps.clock.nowMs() + 1;
          return;
        case 'wait':
          if (ended.crowded) widths.narrower(record.id, max);
          waiting.set(chunk, ended.untilMs);
          return;
        case 'hold':
          widths.narrower(record.id, max);
          heldUntilMs = Math.max(heldUntilMs ?? 0, ended.untilMs);
          if (firstRow !== undefined) cursor.from = Math.min(cursor.from, firstRow);
      }
    };
    // Thrown once the others have landed: they may still be writing.
    const flight = land().catch((err: unknown) => {
      fault ??= { err };
    });
    flying.set(
      chunk,
      flight.finally(() => flying.delete(chunk)),
    );
  }

  /** @returns whether a batch was begun. */
  async function flyNext(): Promise<boolean> {
    const now = deps.clock.nowMs();
    const [due] = [...waiting].find(([, untilMs]) => untilMs <= now) ?? [];
    if (due !== undefined) {
      const batch = await deps.batches.find(record, due);
      if (batch) fly(due, undefined, resumeBatch(run, batch));
      else waiting.delete(due);
      return true;
    }
    if (isThrough || flying.size + waiting.size >= 2 * max) return false;
    const isBusy = (chunk: number) => flying.has(chunk) || waiting.has(chunk);
    if (input.doubtedIn !== undefined) {
      const chunk = await takeDoubted(run, cursor, isBusy, input.doubtedIn);
      if (chunk !== undefined) waiting.set(chunk, 0);
      isThrough = cursor.from > cursor.to;
      return chunk !== undefined;
    }
    const rows = await takeRows(run, cursor, isBusy);
    isThrough = cursor.from > cursor.to;
    const [first] = rows ?? [];
    if (!rows || !first) return false;
    const chunk = chunkOfRow(first.stored.row);
    fly(chunk, first.stored.row, beginBatch(run, chunk, rows));
    return true;
  }

  for (;;) {
    const mayBegin = () =>
      heldUntilMs === undefined && !fault && !run.signal.aborted && deps.clock.nowMs() - beganMs <= lookMs;
    while (mayBegin() && flying.size < widths.of(record.id, max) && (await flyNext()));
    if (flying.size === 0) break;
    await Promise.race(flying.values());
  }
  if (fault) throw fault.err;
  return endOf();

  function endOf(): LanesEnd {
    if (heldUntilMs !== undefined) return { kind: 'wait', untilMs: heldUntilMs };
    if (isThrough && waiting.size === 0) return { kind: 'through' };
    const now = deps.clock.nowMs();
    const mayTake = !isThrough && waiting.size < 2 * max;
    return { kind: 'wait', untilMs: mayTake ? now + 1 : Math.max(now + 1, Math.min(...waiting.values())) };
  }
}

/** The next rows that a bulk job left without a word become a batch in doubt. @returns its chunk. */
async function takeDoubted(
  { deps, record }: BatchRun,
  cursor: Cursor,
  isBusy: (chunk: number) => boolean,
  keyField: string,
): Promise<number | undefined> {
  while (cursor.from <= cursor.to) {
    const { chunk, rows } = await restingRows(deps, record, cursor);
    cursor.from = firstRowOfChunk(chunk + 1);
    if (rows.length === 0 || isBusy(chunk)) continue;
    const numbers = rows.map(({ row }) => row);
    if (await deps.batches.take(record, { chunk, keyField }, numbers)) return chunk;
  }
  return undefined;
}
