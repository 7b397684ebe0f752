import type { AccountFacts } from '../domain/integrated-account.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import type { Account, AccountStore, OpenedCredentials } from './account-store.ts';
import { SealedBoxError } from './sealed-box.ts';
import { createShortCache } from './short-cache.ts';

export type AccountCacheDeps = {
  store: Pick<AccountStore, 'get' | 'facts' | 'credentials'>;
  /** A connection in subscriber mode, shared with others; the caller owns it. */
  subscriber: RedisClient;
  keys: Keys;
};

/**
 * Accounts in memory, so that the hot path costs no trip to Redis: a copy lives at most 2 s and is dropped at once
 * when any process changes the account. `credentials` are opened here: use it in the worker only.
 */
export function createAccountCache({ store, subscriber, keys }: AccountCacheDeps) {
  const kept = {
    account: createShortCache<Account | undefined>((id) => store.get(id)),
    facts: createShortCache<AccountFacts | undefined>((id) => store.facts(id)),
    credentials: createShortCache<OpenedCredentials | undefined>(async (id) => {
      try {
        return await store.credentials(id);
      } catch (err) {
        // The store has put on the account which key is missing; to the caller there are none.
        if (err instanceof SealedBoxError) return undefined;
        throw err;
      }
    }),
  };

  function invalidate(id: string): void {
    kept.account.drop(id);
    kept.facts.drop(id);
    kept.credentials.drop(id);
  }

  const onMessage = (channel: string, message: string) => {
    if (channel === keys.accountChanged) invalidate(message);
  };
  subscriber.on('message', onMessage);
  // Without it copies still end by age; the connection's own error handler reports why.
  subscriber.subscribe(keys.accountChanged).catch(() => {});

  return {
    get: kept.account.get,
    facts: kept.facts.get,
    /** Undefined too when they cannot be opened: then the account's `lastError` says why. */
    credentials: kept.credentials.get,
    invalidate,
    /** Stops listening; the subscription stays, since others may share it. */
    close(): void {
      subscriber.off('message', onMessage);
    },
  };
}
