import { AppError } from '../app-error.ts';
import type { AccountSettings } from '../domain/integrated-account.ts';
import type { Account } from '../stores/account-store.ts';
import type { AccountDeps } from './account-access.ts';
import { assertSettings } from './validate-connection.ts';
import { verifyMarker } from './verify-marker.ts';

/** Top-level settings to replace; `null` takes one away. */
export type SettingsPatch = { [K in keyof AccountSettings]?: AccountSettings[K] | null };

/**
 * Changes name and settings. Top-level keys of the settings are replaced whole, those not named stay.
 * A marker that is set anew is verified at the provider before anything is stored.
 * @throws AppError 400 for what does not fit, 409 when somebody else changed the account meanwhile, 504 when a marker
 * cannot be verified.
 */
export async function changeAccount(
  deps: AccountDeps,
  account: Account,
  patch: { name?: string; settings?: SettingsPatch },
): Promise<Account> {
  if (account.status === 'deleting') throw new AppError('conflict', 'The account is being deleted.');
  const settings = patch.settings && mergeSettings(account.settings, patch.settings);
  if (settings) {
    assertSettings(settings, deps.descriptorOf(account.provider));
    if (patch.settings?.marker) await verifyMarker(deps, account, settings.marker);
  }
  const updated = await deps.store.update(account.id, { name: patch.name, settings }, account.revision);
  if (updated === undefined) throw new AppError('not_found');
  if (updated === 'conflict') {
    throw new AppError('conflict', 'The account was changed meanwhile; read it and decide again.');
  }
  return updated;
}

/** Pure. */
export function mergeSettings(settings: AccountSettings, patch: SettingsPatch): AccountSettings {
  const merged = Object.entries({ ...settings, ...patch }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  // Every value comes from AccountSettings or its patch, both validated key by key.
  return Object.fromEntries(merged) as AccountSettings;
}
