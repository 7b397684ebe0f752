import { AppError } from '../app-error.ts';
import type { SubmittedCredentials } from '../domain/integrated-account.ts';
import type { Account } from '../stores/account-store.ts';
import type { AccountDeps } from './account-access.ts';
import { accountEvent } from './account-event.ts';
import { followStatus } from './follow-status.ts';
import { assertUrlsAllowed } from './validate-connection.ts';

const REACTIVATED = { status: 'active', lastError: undefined } as const;

/**
 * Stops writing for an account; it goes on accepting. A call under way ends as it ends.
 * @throws AppError 409 while it is being deleted.
 */
export async function pauseAccount(deps: AccountDeps, account: Account): Promise<Account> {
  const paused = await deps.store.setStatus(account.id, 'paused', {
    from: ['active', 'needs_reauth', 'paused'],
  });
  if (!paused) throw beingDeleted();
  await followStatus(deps, account.id);
  return paused;
}

/**
 * Sets a paused account going, or one whose grant was refused: then the refused credentials are tried again.
 * @throws AppError 409 while it is being deleted.
 */
export async function resumeAccount(deps: AccountDeps, account: Account): Promise<Account> {
  const active = await deps.store.setStatus(account.id, 'active', {
    from: ['active', 'needs_reauth', 'paused'],
    lastError: null,
    event: await accountEvent(deps, account, REACTIVATED),
  });
  if (!active) throw beingDeleted();
  await deps.store.forgetOutage(account.id);
  // Also when it was active already: an earlier resume may have died between status and queue.
  await followStatus(deps, account.id);
  return active;
}

/**
 * Stores new credentials and sets the account going if the old ones had parked it; a pause by hand stays.
 * @param prefix JSON pointer of the credentials in the caller's body.
 * @throws AppError 400 for a URL that is not allowed, 409 while it is being deleted.
 */
export async function replaceCredentials(
  deps: AccountDeps,
  account: Account,
  credentials: SubmittedCredentials,
  prefix: string,
): Promise<Account> {
  assertUrlsAllowed(credentials, deps.urlAllowlist, deps.descriptorOf(account.provider), prefix);
  if (account.status === 'deleting') throw beingDeleted();
  const stored = await deps.store.replaceCredentials(account.id, credentials);
  if (typeof stored === 'string') throw new AppError('not_found');
  await deps.store.forgetOutage(account.id);
  // Who they are of: not waited for, and where nobody answers it is asked when it matters.
  deps.queries.ask(account, { kind: 'facts' }).catch(() => {});
  const active = await deps.store.setStatus(account.id, 'active', {
    from: ['active', 'needs_reauth'],
    lastError: null,
    event: await accountEvent(deps, account, REACTIVATED),
  });
  if (active) {
    await followStatus(deps, account.id);
    return active;
  }
  const paused = await deps.store.setStatus(account.id, 'paused', { from: ['paused'], lastError: null });
  if (!paused) throw beingDeleted();
  return paused;
}

const beingDeleted = () => new AppError('conflict', 'The account is being deleted.');
