import { AppError } from '../app-error.ts';
import { type Clock, toIso, toIsoOrNull } from '../clock.ts';
import type { AccountView } from '../contract/account-view.ts';
import type { ProviderName } from '../domain/integrated-account.ts';
import { isErrorCode } from '../errors.ts';
import type { ProviderDescriptor } from '../providers/port.ts';
import type { AccountQueries } from '../queues/account-queries.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import type { Ask } from '../queues/messages.ts';
import type { Account, AccountStore } from '../stores/account-store.ts';
import type { ReadGate } from '../stores/gate-reading.ts';
import type { JobStore } from '../stores/job-store.ts';
import type { WebhookTeller } from './tell-webhooks.ts';

/** What deleting an account needs to know of its imports. */
export type AccountImports = {
  open(account: string): Promise<string[]>;
  cancel(importId: string): Promise<void>;
};

/** What the use cases of integrated accounts work with. */
export type AccountDeps = {
  store: AccountStore;
  queries: Pick<AccountQueries, 'ask'>;
  queues: Pick<AccountQueues, 'pause' | 'resume' | 'activate' | 'obliterate' | 'remove'>;
  jobs: Pick<JobStore, 'counts' | 'list' | 'move'>;
  /** Imports count as open work of the account; cancelling one ends it once its rows under way have ended. */
  imports: AccountImports;
  readGate: ReadGate;
  teller: Pick<WebhookTeller, 'isHeard'>;
  descriptorOf: (provider: ProviderName) => ProviderDescriptor;
  /** Patterns of `PROVIDER_URL_ALLOWLIST`; undefined: the vendors' hosts. */
  urlAllowlist: readonly string[] | undefined;
  clock: Clock;
};

/**
 * An account of this workspace. One of another workspace is as absent as one that does not exist.
 * @throws AppError `not_found`.
 */
export async function getAccount(
  deps: { store: Pick<AccountStore, 'get'> },
  workspace: string,
  id: string,
): Promise<Account> {
  const account = await deps.store.get(id);
  if (account?.workspace !== workspace) {
    throw new AppError('not_found', 'There is no such integrated account in this workspace.');
  }
  return account;
}

/**
 * Asks a worker, and takes nothing but an answer.
 * @throws AppError `query_timed_out` without a worker, or the provider's failure by its code.
 */
export async function askOrThrow(
  deps: { queries: Pick<AccountQueries, 'ask'> },
  account: Account,
  ask: Ask,
): Promise<{ value: unknown; atMs: number }> {
  const answer = await deps.queries.ask(account, ask);
  if (answer.ok) return { value: answer.value, atMs: answer.at_ms };
  throw new AppError(isErrorCode(answer.code) ? answer.code : 'provider_error', answer.message);
}

/** The account as every answer shows it: credentials are write-only. */
export async function viewAccount(
  deps: Pick<AccountDeps, 'readGate' | 'jobs' | 'clock'>,
  account: Account,
): Promise<AccountView> {
  const [gate, queue] = await Promise.all([
    deps.readGate(account.id, deps.clock.nowMs()),
    deps.jobs.counts(account.id),
  ]);
  return {
    id: account.id,
    object: 'integrated_account',
    name: account.name,
    provider: account.provider,
    status: account.status,
    settings: account.settings,
    limits: {
      limit: gate.limit ?? null,
      remaining: gate.remaining ?? null,
      reset_at: toIsoOrNull(gate.resetAtMs),
      blocked_until: toIsoOrNull(gate.blockedUntilMs),
      source: gate.source ?? null,
    },
    queue,
    last_error: account.lastError ?? null,
    created_at: toIso(account.createdAtMs),
    updated_at: toIso(account.updatedAtMs),
  };
}
