import { AppError } from '../app-error.ts';
import type { ChosenStrategy, Strategy } from '../domain/import.ts';
import type { BatchDescriptor } from '../providers/batch-port.ts';
import type { Account } from '../stores/account-store.ts';

/**
 * How an import's rows are written. Many in one call only where a unique key of the provider's own makes it safe to send
 * a batch again: the answer to a batch that is lost would otherwise be in doubt for each of its rows.
 * @throws AppError 400 when the account cannot do what is asked.
 */
export function chooseStrategy(
  asked: Strategy,
  batch: BatchDescriptor | undefined,
  account: Pick<Account, 'settings' | 'provider'>,
  rowEvents: boolean,
): ChosenStrategy {
  // A row of a batch never is a job, so there is nothing to tell of it.
  const canBatch = batch?.isPossible(account.settings) === true && !rowEvents;
  switch (asked) {
    case 'auto':
      return canBatch ? 'collections' : 'single';
    case 'single':
      return 'single';
    case 'collections':
      if (canBatch) return 'collections';
      if (rowEvents) throw refuse('cannot be collections with row_events: rows of a batch are no jobs');
      throw refuse(
        batch
          ? 'needs a marker of kind external_id on the account'
          : `is not possible with ${account.provider}: it takes no batches`,
      );
    case 'bulk':
      throw refuse('"bulk" is not offered; use auto');
  }
}

function refuse(message: string): AppError {
  return new AppError('invalid_query', `strategy ${message}.`, {
    failures: [{ pointer: '/strategy', code: 'invalid_value', message }],
  });
}
