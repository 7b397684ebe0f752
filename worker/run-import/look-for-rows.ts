import type { Batch } from '../../shared/stores/import-batch-store.ts';
import { outcomeOf } from '../write-opportunity/outcome.ts';
import type { Carried } from './batch-rows.ts';
import { type BatchRun, type BatchStep, later } from './batch-run.ts';
import { settleTogether } from './settle-batch.ts';

type Looked =
  | Extract<BatchStep, { kind: 'wait' | 'hold' }>
  | { kind: 'found'; ids: Map<string, string> }
  | { kind: 'refused' };

/**
 * Looks for rows whose call may have been written, by their keys, all in one call.
 * `refused`: these keys cannot be asked for together.
 */
export async function lookFor(run: BatchRun, rows: readonly Carried[]): Promise<Looked> {
  const { deps, account, descriptor, signal } = run;
  const keys = rows.map(({ row }) => row.key);
  const request = descriptor.findRequest(keys, account.settings);
  const answer = await deps.caller(account, { signal, isBulk: true })(request);
  if (answer.kind === 'deferred') return { kind: 'hold', untilMs: answer.untilMs };
  const ids = answer.kind === 'answered' ? descriptor.readFound(answer, account.settings) : undefined;
  if (ids) return { kind: 'found', ids };
  const outcome = outcomeOf(answer, deps.descriptorOf(account.provider), request);
  if (outcome.kind === 'needs_reauth') {
    await deps.accounts.parkForReauth(account, outcome.message);
    return { kind: 'hold', untilMs: deps.clock.nowMs() + 1_000 };
  }
  return outcome.kind === 'permanent' ? { kind: 'refused' } : later(run, 0);
}

/**
 * Those that were found have their result.
 * @returns the others.
 */
export async function settleFound(
  { deps, record }: BatchRun,
  batch: Batch,
  rows: readonly Carried[],
  ids: Map<string, string>,
): Promise<Carried[]> {
  const found = rows.flatMap(({ row, stored }) => {
    const remoteId = ids.get(row.key);
    return remoteId === undefined ? [] : [{ stored, result: { status: 'succeeded' as const, remoteId } }];
  });
  await settleTogether(deps, record, batch.chunk, found);
  return rows.filter(({ row }) => !ids.has(row.key));
}
