import type { AccountFacts } from '../domain/integrated-account.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

const FACTS_TTL_S = 24 * 3_600;
const PARSED_KEPT = 5_000;
/** What `put` writes first: when they were read. Texts that begin alike are the same reading. */
const HEAD = /^\{"fetchedAtMs":\d+,/;

/** Live values of accounts, as they were read from their providers. */
export function createFactsStore(deps: {
  redis: RedisClient;
  keys: Keys;
  partitionOf: (account: string) => number;
}) {
  const { redis, keys, partitionOf } = deps;
  const keyOf = (id: string) => keys.facts(partitionOf(id), id);
  // They are ten kilobytes, change once a day and are asked for every few seconds: what is known is not sent and parsed again.
  const parsed = new Map<string, { head: string; facts: AccountFacts }>();

  function keep(id: string, text: string, facts: AccountFacts): void {
    // Without it they were written by an older version.
    const head = HEAD.exec(text)?.[0];
    if (!head) return;
    if (parsed.size >= PARSED_KEPT) parsed.clear();
    parsed.set(id, { head, facts });
  }

  return {
    async get(id: string): Promise<AccountFacts | undefined> {
      const known = parsed.get(id);
      if (known && (await redis.getrange(keyOf(id), 0, known.head.length - 1)) === known.head)
        return known.facts;
      const text = await redis.get(keyOf(id));
      if (!text) return undefined;
      // Only `put` writes the key.
      const facts = JSON.parse(text) as AccountFacts;
      keep(id, text, facts);
      return facts;
    },

    async put(id: string, facts: AccountFacts): Promise<void> {
      const { fetchedAtMs, ...values } = facts;
      const text = JSON.stringify({ fetchedAtMs, ...values });
      await redis.setex(keyOf(id), FACTS_TTL_S, text);
      keep(id, text, facts);
      await redis.publish(keys.accountChanged, id);
    },

    /** What is kept in this process; the key is the owner's to delete. */
    forget: (id: string) => void parsed.delete(id),
  };
}
