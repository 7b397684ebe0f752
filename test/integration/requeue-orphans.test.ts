import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { JobRecord } from '../../shared/domain/job.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { requeueOrphans } from '../../worker/sweep/requeue-orphans.ts';
import { aTestRedis, silentLogger } from '../support/redis.ts';

it('a backlog that is looked at leaves room for other work, and each of its queues is woken once', async () => {
  const { redis, keys } = await aTestRedis();
  const accounts = [randomUUID(), randomUUID()];
  const members = Array.from({ length: 60 }, (_, i) => `${accounts[i % 2]} ${randomUUID()}`);
  await redis.zadd(keys.open(0), ...members.flatMap((member) => [1, member]));
  const woken: string[] = [];
  let looking = 0;
  let mostAtOnce = 0;
  const requeued = await requeueOrphans({
    redis,
    keys,
    partitions: 1,
    logger: silentLogger,
    jobs: {
      find: async (id) => {
        mostAtOnce = Math.max(mostAtOnce, ++looking);
        await turn();
        looking--;
        // Of a record nothing else is looked at where its engine job exists.
        return {
          id,
          workspace: 'default',
          status: 'queued',
          generation: 1,
          createdAtMs: Date.now(),
        } as JobRecord;
      },
      requeue: () => Promise.reject(new Error('nothing is to be queued again')),
      move: () => Promise.reject(new Error('nothing is to be ended')),
    },
    store: { get: async (id) => ({ id, workspace: 'default' }) as Account },
    queues: {
      has: async () => true,
      add: () => Promise.reject(new Error('nothing is to be queued again')),
      activate: async (account) => void woken.push(account),
    },
  });
  expect(requeued).toBe(0);
  expect(woken.sort()).toEqual(accounts.sort());
  expect(mostAtOnce).toBeLessThanOrEqual(4);
  expect(await redis.zcount(keys.open(0), '-inf', Date.now())).toBe(0);
});
