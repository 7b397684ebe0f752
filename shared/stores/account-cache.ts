import type { AccountFacts, StoredCredentials } from '../domain/integrated-account.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import type { Account, AccountStore } from './account-store.ts';

/** How stale a copy may get when the message that should have dropped it was lost. */
const MAX_AGE_MS = 2_000;

type Entry<T> = { value: Promise<T>; expiresAtMs: number };

export type AccountCache = ReturnType<typeof createAccountCache>;

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
    account: createKept<Account | undefined>((id) => store.get(id)),
    facts: createKept<AccountFacts | undefined>((id) => store.facts(id)),
    credentials: createKept<{ credentials: StoredCredentials; version: number } | undefined>((id) =>
      store.credentials(id),
    ),
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
    /** @throws SealedBoxError as the store does; a failure is not kept. */
    credentials: kept.credentials.get,
    invalidate,
    /** Stops listening; the subscription stays, since others may share it. */
    close(): void {
      subscriber.off('message', onMessage);
    },
  };
}

/** Loads under way are shared, and one that was overtaken by a change is not kept. */
function createKept<T>(load: (id: string) => Promise<T>) {
  const entries = new Map<string, Entry<T>>();
  let sweepAtMs = 0;

  function sweep(nowMs: number): void {
    if (nowMs < sweepAtMs) return;
    sweepAtMs = nowMs + MAX_AGE_MS;
    for (const [id, entry] of entries) if (entry.expiresAtMs <= nowMs) entries.delete(id);
  }

  return {
    get(id: string): Promise<T> {
      const nowMs = Date.now();
      const entry = entries.get(id);
      if (entry && entry.expiresAtMs > nowMs) return entry.value;
      sweep(nowMs);
      const value = load(id);
      entries.set(id, { value, expiresAtMs: nowMs + MAX_AGE_MS });
      value.catch(() => {
        if (entries.get(id)?.value === value) entries.delete(id);
      });
      return value;
    },
    drop: (id: string) => void entries.delete(id),
  };
}
