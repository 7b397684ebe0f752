import type { AccountQueues } from '../queues/account-queues.ts';
import type { Account, AccountStore } from '../stores/account-store.ts';

export type FollowDeps = {
  /** The store itself, not a cache: a status of two seconds ago would undo what somebody has just done. */
  store: Pick<AccountStore, 'get'>;
  queues: Pick<AccountQueues, 'pause' | 'resume' | 'activate'>;
};

export function isHeld(status: Account['status']): boolean {
  return status === 'paused' || status === 'needs_reauth';
}

/**
 * Brings an account's queue in line with its status; call it after every change of the status. The status is read again
 * after the queue was written, so that of several callers the last one to write always wrote what the status says:
 * a pause that comes late can not outlive a resume.
 */
export async function followStatus(deps: FollowDeps, id: string): Promise<void> {
  let account = await deps.store.get(id);
  while (account) {
    const held = isHeld(account.status);
    if (held) await deps.queues.pause(id);
    else await deps.queues.resume(id);
    account = await deps.store.get(id);
    if (!account || isHeld(account.status) !== held) continue;
    // Rung last: whoever saw the queue paused may have taken it off the list of those that need a worker.
    if (!held) await deps.queues.activate(id);
    return;
  }
}
