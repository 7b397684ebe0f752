import type { BatchDescriptor } from '../../shared/providers/batch-port.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { backoffMs } from '../write-opportunity/decide.ts';
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

/** What one step of a batch came to. */
export type BatchStep =
  /** Each of its rows has its result or is a job. */
  | { kind: 'over' }
  /** The batch goes on later; others may go meanwhile. `crowded`: it met locks, which several at once bring about. */
  | { kind: 'wait'; untilMs: number; crowded?: true }
  /** Nothing more of the account goes before then. */
  | { kind: 'hold'; untilMs: number };

/** The batch goes on after a wait that grows with its tries. */
export const later = ({ deps }: BatchRun, tries: number) => ({
  kind: 'wait' as const,
  untilMs: deps.clock.nowMs() + backoffMs(Math.max(1, tries), deps.random()),
});
