import type { BatchDescriptor } from '../../shared/providers/batch-port.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { RowContext } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';

/** What every step of many rows at once needs. */
export type BatchRun = RowContext & { deps: FeederDeps; descriptor: BatchDescriptor; signal: AbortSignal };

/** The provider's field that has the keys of rows; empty: the account has none (any more). */
export function keyFieldOf({ settings: { marker } }: Pick<Account, 'settings'>): string {
  return marker?.kind === 'external_id' ? marker.field : '';
}
