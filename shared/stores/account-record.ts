import type { AccountSettings, AccountStatus, ProviderName } from '../domain/integrated-account.ts';

/**
 * The account hash.
 *
 * | field         | holds                                                                     |
 * |---------------|---------------------------------------------------------------------------|
 * | v             | schema version of the record                                              |
 * | workspace, provider, name | text                                                          |
 * | status        | active, paused, needs_reauth, deleting; read by `accept.lua`               |
 * | settings      | JSON                                                                      |
 * | credentials   | sealed text, see sealed-box.ts                                            |
 * | cred_version  | counts every write of `credentials`, token refreshes included             |
 * | grants        | counts only those by a person                                             |
 * | revision      | counts every write of `name` and `settings`                               |
 * | created, updated | ms                                                                     |
 * | held_since    | ms; present while paused or needs_reauth                                   |
 * | held_total    | ms of all ended holds                                                     |
 * | last_error    | JSON `{code, message, at}`                                                |
 */
export type Account = {
  id: string;
  workspace: string;
  provider: ProviderName;
  name: string;
  status: AccountStatus | 'deleting';
  settings: AccountSettings;
  /** Counts the times a person stored credentials; token refreshes do not count. */
  credentialsVersion: number;
  /** Counts changes of name and settings, so that two of them at once do not lose one. */
  revision: number;
  createdAtMs: number;
  updatedAtMs: number;
  /** Milliseconds ever held (paused or needs_reauth), the present hold up to now included. */
  heldMs: number;
  lastError?: AccountError;
};

export type AccountError = { code: string; message: string; at: string };

/** Newest schema this code writes. Older ones are read; a newer one is refused. */
export const ACCOUNT_SCHEMA_VERSION = 1;

/** Every field but the sealed credentials, in the order {@link readAccount} takes them. */
export const ACCOUNT_FIELDS = [
  'v',
  'workspace',
  'provider',
  'name',
  'status',
  'settings',
  'grants',
  'revision',
  'created',
  'updated',
  'held_since',
  'held_total',
  'last_error',
] as const;

/**
 * The account of an `HMGET` of {@link ACCOUNT_FIELDS}, or undefined when there is none.
 * @throws Error when a newer version of this program wrote it.
 */
export function readAccount(id: string, values: (string | null)[], nowMs: number): Account | undefined {
  const field = (name: (typeof ACCOUNT_FIELDS)[number]) => values[ACCOUNT_FIELDS.indexOf(name)] ?? undefined;
  const version = field('v');
  if (version === undefined) return undefined;
  if (Number(version) > ACCOUNT_SCHEMA_VERSION) {
    throw new Error(
      `Account ${id} has schema version ${version}; this program knows ${ACCOUNT_SCHEMA_VERSION}.`,
    );
  }
  const heldSince = field('held_since');
  const lastError = field('last_error');
  return {
    id,
    workspace: field('workspace') ?? '',
    // Both were checked by the schema of their route before account-store wrote them.
    provider: field('provider') as ProviderName,
    status: field('status') as Account['status'],
    name: field('name') ?? '',
    settings: JSON.parse(field('settings') ?? '{}'),
    credentialsVersion: Number(field('grants') ?? 0),
    revision: Number(field('revision') ?? 0),
    createdAtMs: Number(field('created') ?? 0),
    updatedAtMs: Number(field('updated') ?? 0),
    heldMs:
      Number(field('held_total') ?? 0) +
      (heldSince === undefined ? 0 : Math.max(0, nowMs - Number(heldSince))),
    ...(lastError === undefined ? {} : { lastError: JSON.parse(lastError) }),
  };
}
