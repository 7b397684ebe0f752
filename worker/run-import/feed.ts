import { chunkOfRow, firstRowOfChunk, type ImportRecord } from '../../shared/domain/import.ts';
import { paceOf } from '../../shared/providers/pace.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { Harvest } from '../../shared/use-cases/work-rows.ts';
import { beginRow } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';

/** Rows that are jobs at the same time, at most. A job costs 1.3 kB and an entry in the queue, a resting row a tenth. */
const WINDOW_MAX = 100;
const WINDOW_MIN = 16;
/** Rows that wait (a lost answer, a row lock) do not keep others from being begun, up to so many times the window. */
const WAITING_FACTOR = 4;
/** Work laid out for this long: longer than the feeder takes to come again. */
const AHEAD_MS = 2_000;

/** Jobs that keep the account at its own pace until the feeder looks again. */
function windowOf(deps: FeederDeps, account: Account): number {
  const pace = paceOf(deps.descriptorOf(account.provider), account.settings);
  const wanted = Math.max(2 * pace.concurrency, Math.ceil((pace.requests / pace.perMs) * AHEAD_MS));
  return Math.min(WINDOW_MAX, Math.max(WINDOW_MIN, wanted));
}

/**
 * Makes the next rows jobs, as many as the account can take.
 * @returns how many were begun or settled.
 */
export async function feedRows(
  deps: FeederDeps,
  record: ImportRecord,
  account: Account,
  open: Harvest['open'],
): Promise<number> {
  const window = windowOf(deps, account);
  const runnable = open.filter(({ status }) => status !== 'waiting').length;
  let room = Math.min(window - runnable, window * WAITING_FACTOR - open.length);
  const underWay = new Set(open.map(({ row }) => row));
  const context = { record, account, facts: await deps.accounts.facts(account.id) };
  const { total } = record.counts;
  let from = startOf(record, open);
  let begun = 0;
  while (room > 0 && from <= total) {
    const chunk = chunkOfRow(from);
    const [stored = [], { results, again }] = await Promise.all([
      deps.rows.chunk(record, chunk),
      deps.rows.results(record, chunk),
    ]);
    const next = stored.filter(
      ({ row }) =>
        row >= from && !results.has(row) && !underWay.has(row) && (!record.retrying || again.has(row)),
    );
    const taken = next.slice(0, room);
    const outcomes = await Promise.all(taken.map((row) => beginRow(deps, context, row, again.get(row.row))));
    if (outcomes.includes('held')) break;
    begun += outcomes.length;
    room -= outcomes.filter((outcome) => outcome === 'made').length;
    const last = taken.at(-1);
    from = next.length > taken.length && last ? last.row + 1 : firstRowOfChunk(chunk + 1);
    await deps.imports.lookFrom(record, from);
  }
  return begun;
}

/** The place to look from is only a hint: rows may have been given back below it by somebody who died. */
function startOf(record: ImportRecord, open: Harvest['open']): number {
  const isThrough = record.nextRow > record.counts.total;
  return isThrough && open.length === 0 && record.counts.queued > 0 ? 1 : record.nextRow;
}
