import { AppError } from '../app-error.ts';
import type { ChosenStrategy, Strategy } from '../domain/import.ts';
import type { BatchDescriptor } from '../providers/batch-port.ts';
import type { Account } from '../stores/account-store.ts';

export type Chosen = { strategy: ChosenStrategy; reason: string };

/**
 * How an import's rows are written. Many in one call only where a unique key of the provider's own makes it safe to send
 * a batch again: the answer to a batch that is lost would otherwise be in doubt for each of its rows. Whether bulk jobs pay is
 * seen when all rows are there and the calls of the day are known.
 * @throws AppError 400 when the account cannot do what is asked.
 */
export function chooseStrategy(
  asked: Strategy,
  batch: BatchDescriptor | undefined,
  account: Pick<Account, 'settings' | 'provider'>,
  rowEvents: boolean,
): Chosen {
  const obstacle = obstacleOf(batch, account, rowEvents);
  switch (asked) {
    case 'auto':
      return obstacle === undefined
        ? { strategy: 'collections', reason: `${batch?.rowsMax} rows go in one call.` }
        : { strategy: 'single', reason: `Each row is a call of its own: ${obstacle}.` };
    case 'single':
      return { strategy: 'single', reason: 'As asked for.' };
    case 'collections':
      if (obstacle !== undefined) throw refuse(`"collections" is not possible: ${obstacle}`);
      return { strategy: 'collections', reason: 'As asked for.' };
    case 'bulk':
      if (obstacle !== undefined) throw refuse(`"bulk" is not possible: ${obstacle}`);
      if (batch?.bulkRowsMax === undefined)
        throw refuse(`"bulk" is not possible: ${account.provider} has no bulk jobs`);
      return { strategy: 'bulk', reason: 'As asked for.' };
  }
}

/** Why this account's rows cannot go together; undefined when they can. */
function obstacleOf(
  batch: BatchDescriptor | undefined,
  account: Pick<Account, 'settings' | 'provider'>,
  rowEvents: boolean,
): string | undefined {
  if (!batch) return `${account.provider} takes one record a call`;
  if (!batch.isPossible(account.settings))
    return 'without a marker of kind external_id (settings.marker), a unique field that holds the key of each row, a lost answer could not be settled for many rows';
  // A row that goes with others never is a job, so there is nothing to tell of it.
  if (rowEvents) return 'row_events needs each row to be a job';
  return undefined;
}

function refuse(message: string): AppError {
  return new AppError('invalid_query', `strategy ${message}.`, {
    failures: [{ pointer: '/strategy', code: 'invalid_value', message }],
  });
}
