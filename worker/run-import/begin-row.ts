import {
  type ImportRecord,
  type RowResult,
  resultOfFailures,
  type StoredRow,
} from '../../shared/domain/import.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import { isEnded } from '../../shared/domain/job.ts';
import type { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { rowJobId, rowOfJobId } from '../../shared/ids.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { EarlierLife } from '../../shared/stores/import-row-store.ts';
import { planOpportunity } from '../../shared/use-cases/plan-opportunity.ts';
import { AFRESH } from '../../shared/use-cases/retry-job.ts';
import type { FeederDeps } from './deps.ts';

export type RowContext = { record: ImportRecord; account: Account; facts: AccountFacts | undefined };

/** `made`: it is a job now. `settled`: it has its result. `held`: the import begins no rows now. */
export type RowBegun = 'made' | 'settled' | 'held';

/** Makes a row the ordinary job that it is from here on, or its result when that is known already. */
export async function beginRow(
  deps: FeederDeps,
  context: RowContext,
  stored: StoredRow,
  earlier: EarlierLife | undefined,
  goneOwner?: string,
): Promise<RowBegun> {
  const { record, account } = context;
  const planned = planRow(deps, context, stored);
  if (!planned.ok) {
    await deps.rows.settle(record, stored.row, { ...planned.result, ...earlier }, stored);
    return 'settled';
  }
  const made = await deps.rows.materialise(record, stored.row, planned.input, {
    dedupeKey: stored.dedupeKey,
    earlier,
    goneOwner,
  });
  switch (made.kind) {
    case 'made':
      await deps.queues.add(account.id, made.jobId, made.generation, PRIORITY.bulk);
      return 'made';
    case 'exists':
      if (earlier && made.status !== undefined && isEnded(made.status))
        await beginAgain(deps, record, stored.row);
      return 'made';
    case 'duplicate':
      return settleDuplicate(deps, context, stored, earlier, made.owner);
    case 'settled':
    case 'held':
      return made.kind;
  }
}

/**
 * As accepting does: defaults, the provider's mapping, and what newer settings of the account say. `plan` is absent when
 * something is stale. `input` is its job, also of a row that cannot be written but may have been.
 */
export function planRow(
  deps: Pick<FeederDeps, 'descriptorOf' | 'clock'>,
  { record, account, facts }: RowContext,
  { row, body: text }: StoredRow,
) {
  const onUnsupported = record.options.onUnsupported;
  const query = {
    response_format: 'unified' as const,
    ...(onUnsupported === undefined ? {} : { on_unsupported: onUnsupported }),
  };
  // What is stored with a body passed the schema when it was received.
  const body: OpportunityInput = text === undefined ? {} : JSON.parse(text);
  const planned = planOpportunity({
    descriptor: deps.descriptorOf(account.provider),
    settings: account.settings,
    body,
    query,
    facts,
    jobId: rowJobId(record.id, row),
    nowMs: deps.clock.nowMs(),
  });
  const input = {
    workspace: record.workspace,
    account: account.id,
    provider: account.provider,
    request: { query, body },
    appliedDefaults: planned.appliedDefaults,
    warnings: planned.warnings,
    requestId: record.requestId,
    importId: record.id,
    rowEvents: record.options.rowEvents || undefined,
  };
  if (text === undefined) {
    const result: RowResult = {
      status: 'failed',
      code: 'invalid_body',
      message: 'The row could not be read.',
    };
    return { ok: false as const, result, input };
  }
  return planned.ok
    ? { ok: true as const, plan: planned.plan, input }
    : { ok: false as const, result: resultOfFailures(planned.failures), input };
}

/** A failed row whose record was kept, since it may have been sent: it goes on as that very job. */
async function beginAgain(deps: FeederDeps, record: ImportRecord, row: number): Promise<void> {
  const job = await deps.jobs.find(rowJobId(record.id, row));
  if (!job || (job.status !== 'failed' && job.status !== 'cancelled')) return;
  const moved = await deps.jobs.move(job, {
    to: 'queued',
    from: [job.status],
    generation: job.generation,
    newGeneration: true,
    patch: AFRESH,
  });
  if (moved.kind === 'moved') await deps.queues.add(job.account, job.id, moved.generation, PRIORITY.bulk);
}

/** Another row has the key. If its import is gone, so is its hold on the key. */
async function settleDuplicate(
  deps: FeederDeps,
  context: RowContext,
  stored: StoredRow,
  earlier: EarlierLife | undefined,
  owner: string,
): Promise<RowBegun> {
  const at = rowOfJobId(owner);
  const other = at && (await deps.imports.find(at.importId));
  if (!at || !other) return beginRow(deps, context, stored, earlier, owner);
  const result = await deps.rows.result(other, at.row);
  await deps.rows.settle(context.record, stored.row, {
    status: 'duplicate',
    remoteId: result?.remoteId,
    owner,
  });
  return 'settled';
}
