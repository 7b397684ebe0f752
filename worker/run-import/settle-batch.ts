import type { WriteFailure } from '../../shared/domain/failure.ts';
import { chunkOfRow, type ImportRecord, type RowResult, type StoredRow } from '../../shared/domain/import.ts';
import { rowJobId } from '../../shared/ids.ts';
import type { BatchRowOutcome } from '../../shared/providers/batch-port.ts';
import { timeoutOf } from '../../shared/providers/caller.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import type { Batch } from '../../shared/stores/import-batch-store.ts';
import type { EarlierLife, RowHolder } from '../../shared/stores/import-row-store.ts';
import { policyOf, verdictAtMs } from '../write-opportunity/decide.ts';
import type { Carried } from './batch-rows.ts';
import type { BatchRun } from './batch-run.ts';
import { planRow, type RowContext } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';

/** Calls a batch is given; then each of its rows goes its own way, with a budget of its own. */
export const SENDS_MAX = 5;

/**
 * What a batch's answer says of its rows: written or refused is a result; "not now" (a row lock) stays and goes again with the
 * batch. Everything else is for the row to find out as a job of its own, looking first where it may have been written.
 * @returns the rows that stay.
 */
export async function settleOutcomes(
  run: BatchRun,
  batch: Batch,
  rows: readonly Carried[],
  outcomes: readonly BatchRowOutcome[],
): Promise<Carried[]> {
  const results: Settled[] = [];
  const stay: Carried[] = [];
  const alone: Promise<void>[] = [];
  for (const [i, carried] of rows.entries()) {
    const { stored, earlier } = carried;
    const outcome = outcomes[i]?.outcome;
    const result = resultOf(outcome, earlier);
    // A refusal says nothing of an earlier sending whose answer was lost.
    if (result && (result.status === 'succeeded' || !batch.doubtedBefore)) results.push({ stored, result });
    else if (isNotNow(outcome) && !batch.doubtedBefore && batch.sends < SENDS_MAX) stay.push(carried);
    else {
      const inDoubt = batch.doubtedBefore || outcome === undefined || outcome.kind === 'ambiguous';
      alone.push(goAlone(run.deps, run, { stored, earlier }, inDoubt ? batch : undefined));
    }
  }
  await Promise.all([settleTogether(run.deps, run.record, batch.chunk, results), ...alone]);
  return stay;
}

export type Settled = { stored: Pick<StoredRow, 'row' | 'dedupeKey'>; result: RowResult };

/** Results of one chunk in one step; a failed row that has to free its dedupe key has a step of its own. */
export async function settleTogether(
  deps: Pick<FeederDeps, 'rows'>,
  record: ImportRecord,
  holder: RowHolder,
  settled: readonly Settled[],
): Promise<void> {
  const [first] = settled;
  if (!first) return;
  const frees = ({ stored, result }: Settled) =>
    stored.dedupeKey !== undefined && result.status !== 'succeeded';
  const together = settled.filter((one) => !frees(one));
  await Promise.all([
    deps.rows.settleRows(
      record,
      holder,
      chunkOfRow(first.stored.row),
      together.map(({ stored, result }) => ({ row: stored.row, result })),
    ),
    ...settled
      .filter(frees)
      .map(({ stored, result }) =>
        deps.rows.settle(record, stored.row, result, { dedupeKey: stored.dedupeKey, holder }),
      ),
  ]);
}

export function isNotNow(outcome: BatchRowOutcome['outcome'] | undefined): boolean {
  return outcome?.kind === 'rate_limited' || outcome?.kind === 'retryable';
}

/** Undefined where the outcome is none that a row can end with. */
export function resultOf(
  outcome: BatchRowOutcome['outcome'] | undefined,
  earlier: EarlierLife | undefined,
): RowResult | undefined {
  if (outcome?.kind === 'written') return { status: 'succeeded', remoteId: outcome.remoteId };
  return outcome?.kind === 'permanent' ? { ...failed(outcome), ...earlier } : undefined;
}

function failed(failure: WriteFailure): RowResult {
  return {
    status: 'failed',
    code: failure.code,
    message: failure.message,
    pointer: failure.kind === 'permanent' ? failure.fields?.[0]?.pointer : undefined,
  };
}

/** A row of a batch becomes a job. @param doubt the batch that may have written it. */
export async function goAlone(
  deps: FeederDeps,
  context: RowContext,
  { stored, earlier }: Pick<Carried, 'stored' | 'earlier'>,
  doubt: Batch | undefined,
): Promise<void> {
  const { record, account } = context;
  const holder = chunkOfRow(stored.row);
  const planned = planRow(deps, context, stored);
  if (!planned.ok && !doubt) {
    await settleTogether(deps, record, holder, [{ stored, result: { ...planned.result, ...earlier } }]);
    return;
  }
  const made = await deps.rows.materialise(record, stored.row, planned.input, {
    dedupeKey: stored.dedupeKey,
    earlier,
    batched: doubt ? { unknownSends: [unknownSend(deps, context, doubt)] } : {},
  });
  if (made.kind === 'made') {
    await deps.queues.add(account.id, rowJobId(record.id, stored.row), made.generation, PRIORITY.bulk);
  }
  // Its key had expired with its bucket, and another row took it.
  if (made.kind === 'duplicate')
    await deps.rows.settle(record, stored.row, { status: 'duplicate', owner: made.owner }, { holder });
}

function unknownSend(deps: FeederDeps, { account }: RowContext, batch: Batch) {
  const policy = policyOf(account.settings, deps.descriptorOf(account.provider).reconcile);
  return {
    attempt: 0,
    sentAtProviderMs: deps.providerTime(account.id, batch.sentAtMs),
    verdictAtMs: verdictAtMs(batch.sentAtMs, timeoutOf(account), policy),
    marker: { kind: 'external_id' as const, field: batch.keyField },
    ...{ grant: batch.grant, sender: batch.sender },
  };
}
