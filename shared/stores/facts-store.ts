import type { AccountFacts } from '../domain/integrated-account.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

const FACTS_TTL_S = 24 * 3_600;
const PARSED_KEPT = 5_000;

/** Live values of accounts, as they were read from their providers. */
export function createFactsStore(deps: {
  redis: RedisClient;
  keys: Keys;
  partitionOf: (account: string) => number;
}) {
  const { redis, keys, partitionOf } = deps;
  const keyOf = (id: string) => keys.facts(partitionOf(id), id);
  // Copies of them live for seconds and they change once a day: what reads the same again is not parsed again.
  const parsed = new Map<string, { text: string; facts: AccountFacts }>();

  function keep(id: string, text: string, facts: AccountFacts): void {
    if (parsed.size >= PARSED_KEPT) parsed.clear();
    parsed.set(id, { text, facts });
  }

  return {
    async get(id: string): Promise<AccountFacts | undefined> {
      const text = await redis.get(keyOf(id));
      if (!text) return undefined;
      const known = parsed.get(id);
      if (known?.text === text) return known.facts;
      // Only `put` writes the key.
      const facts = JSON.parse(text) as AccountFacts;
      keep(id, text, facts);
      return facts;
    },

    async put(id: string, facts: AccountFacts): Promise<void> {
      const text = JSON.stringify(facts);
      await redis.setex(keyOf(id), FACTS_TTL_S, text);
      keep(id, text, facts);
      await redis.publish(keys.accountChanged, id);
    },

    /** What is kept in this process; the key is the owner's to delete. */
    forget: (id: string) => void parsed.delete(id),
  };
}
