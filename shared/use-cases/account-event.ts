import type { EventType } from '../domain/webhook.ts';
import type { Account } from '../stores/account-store.ts';
import type { NewEvent } from '../stores/event-store.ts';
import { type AccountDeps, viewAccount } from './account-access.ts';
import type { WebhookTeller } from './tell-webhooks.ts';

export type AccountEventDeps = Pick<AccountDeps, 'readGate' | 'jobs' | 'clock'> & {
  teller: Pick<WebhookTeller, 'isHeard'>;
};

/** Which changes of status the endpoints of a workspace are told of, by where they come from. */
const TOLD: Partial<Record<Account['status'], { type: EventType; from: Account['status'] }>> = {
  needs_reauth: { type: 'integrated_account.authentication_error', from: 'active' },
  active: { type: 'integrated_account.reactivated', from: 'needs_reauth' },
};

/**
 * The event of a change of status that is about to be made, to be written in the same step: the account as it will be.
 * @returns undefined when nobody listens.
 */
export async function accountEvent(
  deps: AccountEventDeps,
  account: Account,
  change: Pick<Account, 'status' | 'lastError'>,
): Promise<(NewEvent & { from: Account['status'] }) | undefined> {
  const told = TOLD[change.status];
  if (!told || !(await deps.teller.isHeard(account.workspace, told.type))) return undefined;
  const data = await viewAccount(deps, { ...account, ...change, updatedAtMs: deps.clock.nowMs() });
  return { ...told, workspace: account.workspace, data };
}
