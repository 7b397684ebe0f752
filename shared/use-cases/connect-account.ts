import { AppError } from '../app-error.ts';
import type { Account, NewAccount } from '../stores/account-store.ts';
import type { AccountDeps } from './account-access.ts';
import { assertSettings, assertUrlsAllowed } from './validate-connection.ts';
import { verifyMarker } from './verify-marker.ts';

/**
 * Stores a new account. A marker is verified first, for which the worker needs the account: meanwhile it stands as
 * `deleting`, which accepts nothing and goes away by itself if this process dies.
 * @throws AppError 400 for what does not fit, 409 `already_exists`, 504 when the marker cannot be verified;
 * then nothing is kept.
 */
export async function connectAccount(deps: AccountDeps, input: Omit<NewAccount, 'status'>): Promise<Account> {
  const descriptor = deps.descriptorOf(input.provider);
  assertUrlsAllowed(input.credentials, deps.urlAllowlist, descriptor, '/credentials');
  assertSettings(input.settings, descriptor);
  const { marker } = input.settings;
  if (!marker || marker.kind === 'text') return created(await deps.store.create(input));

  const provisional = created(await deps.store.create({ ...input, status: 'deleting' }));
  try {
    await verifyMarker(deps, provisional, marker);
    const account = await deps.store.setStatus(provisional.id, 'active', { from: ['deleting'] });
    if (!account) throw new AppError('conflict', 'The account was deleted while its marker was verified.');
    return account;
  } catch (err) {
    await deps.store.remove(provisional.id);
    throw err;
  }
}

function created(account: Account | 'exists'): Account {
  if (account === 'exists')
    throw new AppError(
      'already_exists',
      'An integrated account with this id exists, or was one of another workspace.',
    );
  return account;
}
