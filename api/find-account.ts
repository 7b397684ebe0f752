import { AppError } from '../shared/app-error.ts';
import type { AccountHold } from '../shared/contract/job-view.ts';
import type { Account } from '../shared/stores/account-store.ts';
import type { ReadGate } from '../shared/stores/gate-reading.ts';

export type AccountReader = { get(id: string): Promise<Account | undefined> };

/**
 * An account of the caller's workspace.
 * @throws AppError 404 for one that does not exist, is another workspace's, or is being deleted.
 */
export async function getAccount(accounts: AccountReader, workspace: string, id: string): Promise<Account> {
  const account = await accounts.get(id);
  if (!account || account.workspace !== workspace || account.status === 'deleting') {
    throw new AppError('not_found', `There is no integrated account ${id} in this workspace.`);
  }
  return account;
}

/** Whether its status holds the account's jobs. */
export function holdOf(account: Account | undefined): AccountHold | undefined {
  if (!account || account.status === 'deleting') return undefined;
  return { status: account.status };
}

/** What of the account holds its jobs, its limit included. */
export async function findHold(
  readGate: ReadGate,
  account: Account | undefined,
  nowMs: number,
): Promise<AccountHold | undefined> {
  const hold = holdOf(account);
  if (!account || hold?.status !== 'active') return hold;
  const { blockedUntilMs, isDown } = await readGate(account.id, nowMs);
  return { ...hold, blockedUntilMs, isDown };
}
