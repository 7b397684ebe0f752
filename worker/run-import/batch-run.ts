import type { BatchDescriptor } from '../../shared/providers/batch-port.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { RowContext } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';

/** What every step of many rows at once needs. */
export type BatchRun = RowContext & { deps: FeederDeps; descriptor: BatchDescriptor; signal: AbortSignal };

/** Redis may have lost what became of the import's rows: it was restored, or changed over, since they were accepted. */
export function isOlderThanEpoch({ deps, record }: Pick<BatchRun, 'deps' | 'record'>): boolean {
  const { number, atMs } = deps.epoch();
  return number > 0 && record.createdAtMs <= atMs;
}

/** The provider's field that has the keys of rows; empty: the account has none (any more). */
export function keyFieldOf({ settings: { marker } }: Pick<Account, 'settings'>): string {
  return marker?.kind === 'external_id' ? marker.field : '';
}
