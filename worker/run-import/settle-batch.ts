import type { WriteFailure } from '../../shared/domain/failure.ts';
import type { RowResult } from '../../shared/domain/import.ts';
import { rowJobId } from '../../shared/ids.ts';
import type { BatchRowOutcome } from '../../shared/providers/batch-port.ts';
import { timeoutOf } from '../../shared/providers/caller.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import type { Batch } from '../../shared/stores/import-batch-store.ts';
import { policyOf, verdictAtMs } from '../write-opportunity/decide.ts';
import type { Carried } from './batch-rows.ts';
import { planRow, type RowContext } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';

/**
 * What a batch's answer says of its rows: written or refused is a result; everything else is for the row to find out as a
 * job of its own, looking first where it may have been written.
 */
export async function settleOutcomes(
  deps: FeederDeps,
  context: RowContext,
  batch: Batch,
  rows: readonly Carried[],
  outcomes: readonly BatchRowOutcome[],
): Promise<void> {
  await Promise.all(
    rows.map(({ stored, earlier }, i) => {
      const outcome = outcomes[i]?.outcome;
      if (outcome?.kind === 'written') {
        const result: RowResult = { status: 'succeeded', remoteId: outcome.remoteId };
        return deps.rows.settle(context.record, stored.row, result, stored);
      }
      // A refusal says nothing of an earlier sending whose answer was lost.
      if (outcome?.kind === 'permanent' && !batch.doubtedBefore) {
        return deps.rows.settle(context.record, stored.row, { ...failed(outcome), ...earlier }, stored);
      }
      const inDoubt = batch.doubtedBefore || outcome === undefined || outcome.kind === 'ambiguous';
      return goAlone(deps, context, { stored, earlier }, inDoubt ? batch : undefined);
    }),
  );
}

function failed(failure: WriteFailure): RowResult {
  return {
    status: 'failed',
    code: failure.code,
    message: failure.message,
    pointer: failure.kind === 'permanent' ? failure.fields?.[0]?.pointer : undefined,
  };
}

/** @param doubt the batch that may have written the row. */
export async function goAlone(
  deps: FeederDeps,
  context: RowContext,
  { stored, earlier }: Pick<Carried, 'stored' | 'earlier'>,
  doubt: Batch | undefined,
): Promise<void> {
  const { record, account } = context;
  const planned = planRow(deps, context, stored);
  if (!planned.ok && !doubt) {
    await deps.rows.settle(record, stored.row, planned.result, stored);
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
}

function unknownSend(deps: FeederDeps, { account }: RowContext, batch: Batch) {
  const { marker } = account.settings;
  const policy = policyOf(account.settings, deps.descriptorOf(account.provider).reconcile);
  return {
    attempt: 0,
    sentAtProviderMs: deps.providerTime(account.id, batch.sentAtMs),
    verdictAtMs: verdictAtMs(batch.sentAtMs, timeoutOf(account), policy),
    marker: marker ? { kind: marker.kind, field: marker.field } : null,
  };
}
