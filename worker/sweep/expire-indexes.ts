import { lowestIdAt } from '../../shared/ids.ts';
import type { RedisClient } from '../../shared/redis/connect.ts';
import type { Keys } from '../../shared/redis/keys.ts';

const BATCH = 500;
const INDEXED = ['failed', 'cancelled'] as const;

/**
 * Removes ids from the indexes of one account whose records have expired. Ids sort by age, so each call goes on where
 * the last one stopped, one pass reads every id once, and it reads none of those that are younger than a record lives.
 * @param bornBeforeMs when the youngest record was made that can have expired. (Made while records lived shorter than they do now, a
 *   younger one can have, too: its id stays for the difference.)
 * @returns the id to go on from, undefined at the end.
 */
export async function expireIndexes(
  redis: RedisClient,
  keys: Keys,
  partition: number,
  account: string,
  after: string | undefined,
  bornBeforeMs: number,
): Promise<string | undefined> {
  const ids = await redis.zrangebylex(
    keys.jobs(partition, account),
    after ? `(${after}` : '-',
    `(${lowestIdAt(bornBeforeMs)}`,
    'LIMIT',
    0,
    BATCH,
  );
  const exist = await Promise.all(ids.map((id) => redis.exists(keys.job(partition, id))));
  const gone = ids.filter((_, i) => exist[i] === 0);
  if (gone.length > 0) {
    await Promise.all([
      redis.zrem(keys.jobs(partition, account), ...gone),
      ...INDEXED.map((status) => redis.zrem(keys.jobsIn(partition, account, status), ...gone)),
    ]);
  }
  return ids.length === BATCH ? ids.at(-1) : undefined;
}
