import { systemClock } from '../../shared/clock.ts';
import { createLogger } from '../../shared/logger.ts';
import { createAccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import { closeRedis, connectRedis, waitUntilReady } from '../../shared/redis/connect.ts';
import { createKeys } from '../../shared/redis/keys.ts';
import { agreeOnPartitions, partitionOfAccount } from '../../shared/redis/partitions.ts';
import { createJobStore } from '../../shared/stores/job-store.ts';
import { opportunityBody } from './bodies.ts';

const AT_ONCE = 200;
const DAY_MS = 86_400_000;

export type BulkFill = {
  redisUrl: string;
  prefix: string;
  account: string;
  count: number;
  ids: { leads: string[]; owner: string };
};

/** Puts jobs of bulk priority into an account's queue, record and engine job, as the public API has no way to ask for. */
export async function fillBulk({ redisUrl, prefix, account, count, ids }: BulkFill): Promise<void> {
  const logger = createLogger('bench', 'warn');
  const redis = connectRedis(redisUrl, 'worker', logger);
  await waitUntilReady(redis, redisUrl, 10_000);
  const keys = createKeys(prefix);
  const partitions = await agreeOnPartitions(redis, keys);
  const queues = createAccountQueues({ redis, keys, partitions, logger });
  const jobs = createJobStore({
    ...{ redis, keys, partitions, clock: systemClock },
    ...{ retentionMs: DAY_MS, backlogLimit: 10_000_000, orphanMs: 15_000, replicas: 0 },
  });
  const add = async (i: number) => {
    const id = jobs.newId(account);
    const accepted = await jobs.accept(id, {
      ...{ workspace: 'default', account, provider: 'close', appliedDefaults: {}, warnings: [] },
      request: { query: { response_format: 'unified' }, body: opportunityBody(i, ids) },
    });
    if (accepted.kind !== 'accepted') throw new Error(`a bulk job was not accepted: ${accepted.kind}`);
    // A job of an import is what the gate takes for bulk work.
    await redis.hset(keys.job(partitionOfAccount(account, partitions), id), 'import', 'bench');
    await queues.add(account, id, 1, PRIORITY.bulk);
  };
  for (let i = 0; i < count; i += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, k) => add(i + k)));
  await queues.ring(account);
  await queues.close();
  await closeRedis(redis);
}
