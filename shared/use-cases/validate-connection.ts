import { AppError } from '../app-error.ts';
import type { FieldFailure } from '../domain/failure.ts';
import type { AccountSettings, SubmittedCredentials } from '../domain/integrated-account.ts';
import type { ProviderDescriptor } from '../providers/port.ts';
import { isUrlAllowed } from '../providers/url-allowlist.ts';

/**
 * Refuses credentials that point where accounts may not point. The message names the origin only: the rest of a URL
 * may hold a secret put there by mistake.
 * @param prefix JSON pointer of the credentials in the caller's body.
 * @throws AppError `url_not_allowed` naming every field.
 */
export function assertUrlsAllowed(
  credentials: SubmittedCredentials,
  allowlist: readonly string[] | undefined,
  descriptor: Pick<ProviderDescriptor, 'allowedOrigins'>,
  prefix: string,
): void {
  const patterns = allowlist ?? descriptor.allowedOrigins;
  const failures = Object.entries(credentials)
    .filter(([key, value]) => key.endsWith('_url') && value !== undefined && !isUrlAllowed(value, patterns))
    .map(([key, value]): FieldFailure => {
      const message = `points at ${originOf(value)}, which is not one of ${patterns.join(', ') || 'none'}`;
      return { pointer: `${prefix}/${key}`, code: 'url_not_allowed', message };
    });
  if (failures.length === 0) return;
  const named = failures.map(({ pointer, message }) => `${pointer} ${message}`).join('; ');
  throw new AppError('url_not_allowed', `A URL is not allowed: ${named}.`, { failures });
}

function originOf(url: string): string {
  const { origin, username, password } = new URL(url);
  return username === '' && password === '' ? origin : `${origin} with user information`;
}

/** @throws AppError `invalid_body` when the provider has no such setting, or not with this value. */
export function assertSettings(
  settings: AccountSettings,
  descriptor: Pick<ProviderDescriptor, 'checkSettings'>,
): void {
  throwFailures(descriptor.checkSettings(settings));
}

/** @throws AppError `invalid_body` unless there are none. */
export function throwFailures(failures: FieldFailure[]): void {
  if (failures.length === 0) return;
  const named = failures.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  throw new AppError('invalid_body', `The body is not usable: ${named}`, { failures });
}
