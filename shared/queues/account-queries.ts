import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { AccountFacts } from '../domain/integrated-account.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import type { Account } from '../stores/account-store.ts';
import type { AccountQueues } from './account-queues.ts';
import { type Ask, QueryAnswer } from './messages.ts';

/** A message of Redis may be lost; the answer is looked for this often without one. */
const LOOK_MS = 500;

export type AccountQueriesDeps = {
  redis: RedisClient;
  /** A connection in subscriber mode, shared with others; the caller owns it. */
  subscriber: RedisClient;
  keys: Keys;
  partitions: number;
  queues: Pick<AccountQueues, 'addQuery'>;
  clock: Clock;
};

/** Answer to `check`: who we are there, and the live values if they could be read. */
export type CheckValue = {
  user: string;
  organisation?: string;
  facts?: AccountFacts;
  /** Why there are no facts. */
  factsFailure?: { code: string; message: string };
};

export type AccountQueries = ReturnType<typeof createAccountQueries>;

/**
 * How the API, which cannot call a provider, asks a worker about an account. Works for paused accounts too, since
 * questions have a queue of their own.
 */
export function createAccountQueries(deps: AccountQueriesDeps) {
  const { redis, subscriber, keys, clock } = deps;
  const underWay = new Map<string, Promise<QueryAnswer>>();
  const wakers = new Map<string, () => void>();

  const onMessage = (channel: string) => wakers.get(channel)?.();
  subscriber.on('message', onMessage);

  async function look(key: string): Promise<QueryAnswer | undefined> {
    const text = await redis.get(key);
    return text ? QueryAnswer.parse(JSON.parse(text)) : undefined;
  }

  /** Resolves with the answer, or undefined when the time is up. */
  async function waitFor(key: string, channel: string, deadlineMs: number): Promise<QueryAnswer | undefined> {
    for (;;) {
      const woken = Promise.withResolvers<void>();
      // Set before looking: a message between the look and the wait is not missed.
      wakers.set(channel, woken.resolve);
      const answer = await look(key);
      const leftMs = deadlineMs - clock.nowMs();
      if (answer || leftMs <= 0) return answer;
      const timer = setTimeout(woken.resolve, Math.min(LOOK_MS, leftMs));
      await woken.promise;
      clearTimeout(timer);
    }
  }

  async function askWorker(account: Account, ask: Ask, timeoutMs: number): Promise<QueryAnswer> {
    const id = randomUUID();
    const channel = keys.answered(id);
    const deadlineMs = clock.nowMs() + timeoutMs;
    await subscriber.subscribe(channel);
    try {
      await deps.queues.addQuery({ v: 1, id, account: account.id, ask });
      const key = keys.answer(partitionOfAccount(account.id, deps.partitions), id);
      return (await waitFor(key, channel, deadlineMs)) ?? timedOut(timeoutMs, clock.nowMs());
    } finally {
      wakers.delete(channel);
      subscriber.unsubscribe(channel).catch(() => {});
    }
  }

  return {
    /**
     * Asks and waits. The same question about the same credentials and settings is asked once.
     * @returns `{ok: false, code: 'query_timed_out'}` when no worker answered in time; Redis errors are thrown.
     */
    ask(account: Account, ask: Ask, timeoutMs = 10_000): Promise<QueryAnswer> {
      const question = `${account.id} ${account.credentialsVersion} ${account.revision} ${JSON.stringify(ask)}`;
      const running = underWay.get(question);
      if (running) return running;
      const started = askWorker(account, ask, timeoutMs).finally(() => underWay.delete(question));
      underWay.set(question, started);
      return started;
    },

    /** Stops listening; the subscriber stays open. */
    close(): void {
      subscriber.off('message', onMessage);
    },
  };
}

function timedOut(timeoutMs: number, nowMs: number): QueryAnswer {
  return {
    ok: false,
    code: 'query_timed_out',
    message: `No worker answered within ${timeoutMs / 1_000} s. Is one running?`,
    at_ms: nowMs,
  };
}
