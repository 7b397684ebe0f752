import { expect, it } from 'vitest';
import { createPartitionedId } from '../../shared/ids.ts';
import { expireIndexes } from '../../worker/sweep/expire-indexes.ts';
import { aTestRedis } from '../support/redis.ts';

it('takes ids whose record is gone out of the indexes, and looks at none that is too young for it', async () => {
  const { redis, keys } = await aTestRedis();
  const now = Date.now();
  const [account, bornBeforeMs] = ['acc', now - 1_000];
  const ids = {
    gone: createPartitionedId(0, now - 3_000),
    kept: createPartitionedId(0, now - 2_000),
    young: createPartitionedId(0, now - 500),
  };
  for (const index of [keys.jobs(0, account), keys.jobsIn(0, account, 'failed')])
    await redis.zadd(index, ...Object.values(ids).flatMap((id) => [0, id]));
  await redis.hset(keys.job(0, ids.kept), 'status', 'failed');
  expect(await expireIndexes(redis, keys, 0, account, undefined, bornBeforeMs)).toBeUndefined();
  for (const index of [keys.jobs(0, account), keys.jobsIn(0, account, 'failed')])
    expect(await redis.zrange(index, '0', '-1')).toEqual([ids.kept, ids.young]);
});

it('goes on where it stopped', async () => {
  const { redis, keys } = await aTestRedis();
  const now = Date.now();
  const ids = Array.from({ length: 1_200 }, (_, i) => createPartitionedId(0, now - 10_000 + i));
  await redis.zadd(keys.jobs(0, 'acc'), ...ids.flatMap((id) => [0, id]));
  let after: string | undefined;
  let calls = 0;
  do {
    after = await expireIndexes(redis, keys, 0, 'acc', after, now);
    calls++;
  } while (after);
  expect(calls).toBe(3);
  expect(await redis.zcard(keys.jobs(0, 'acc'))).toBe(0);
});
