import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { createAccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY, type Priority, WriteMessage } from '../../shared/queues/messages.ts';
import { partitionOfAccount } from '../../shared/redis/partitions.ts';
import { DONE, waitUntil } from '../../worker/next-step.ts';
import { runQueue } from '../../worker/run-queue.ts';
import { aTestRedis, connectTestRedis, silentLogger } from '../support/redis.ts';
import { until } from '../support/until.ts';

const PARTITIONS = 1;
const WAIT_MS = 200;

/**
 * A queue that runs one message at a time, in which `first` and `second` wait and `first` is given back once; meanwhile
 * `later` comes in.
 * @returns the order in which they ran.
 */
async function orderOf(classes: { given: Priority; later: Priority }): Promise<string[]> {
  const { redis, keys } = await aTestRedis();
  const queues = createAccountQueues({ redis, keys, partitions: PARTITIONS, logger: silentLogger });
  const account = randomUUID();
  const add = (job: string, priority: Priority) => queues.add(account, job, 1, priority);
  await add('first', classes.given);
  await add('second', classes.given);
  const ran: string[] = [];
  let dueMs = 0;
  const running = runQueue({
    name: account,
    prefix: keys.queuePrefix(partitionOfAccount(account, PARTITIONS)),
    connection: await connectTestRedis('worker'),
    concurrency: 1,
    lockMs: 30_000,
    stalledMs: 30_000,
    logger: silentLogger,
    processor: async (message) => {
      const { job } = WriteMessage.parse(message);
      ran.push(job);
      if (ran.length === 1) {
        await add('later', classes.later);
        dueMs = Date.now() + WAIT_MS;
        return waitUntil(dueMs, true);
      }
      // Whatever is fetched next could have been the one that was given back.
      await until('it is due', () => Date.now() > dueMs);
      return DONE;
    },
    onFailed: () => {},
    onIdle: () => {},
  });
  onTestFinished(async () => {
    await running.close();
    await queues.close();
  });
  await until('all have run', () => ran.length === 4);
  return ran.slice(1);
}

it('lets interactive work pass bulk work that was given back, and that pass other bulk work', async () => {
  const order = await orderOf({ given: PRIORITY.bulk, later: PRIORITY.interactive });
  expect(order).toEqual(['later', 'first', 'second']);
});

it('lets interactive work that was given back pass other interactive work', async () => {
  const order = await orderOf({ given: PRIORITY.interactive, later: PRIORITY.interactive });
  expect(order.indexOf('first')).toBeLessThan(order.indexOf('later'));
});

it('does not keep a single create from being fetched while bulk work waits for its turn', async () => {
  const { redis, keys } = await aTestRedis();
  const queues = createAccountQueues({ redis, keys, partitions: PARTITIONS, logger: silentLogger });
  const account = randomUUID();
  let [dueMs, singleMs] = [0, 0];
  await queues.add(account, 'bulk', 1, PRIORITY.bulk);
  const running = runQueue({
    name: account,
    prefix: keys.queuePrefix(partitionOfAccount(account, PARTITIONS)),
    connection: await connectTestRedis('worker'),
    concurrency: 1,
    lockMs: 30_000,
    stalledMs: 30_000,
    logger: silentLogger,
    processor: async (message) => {
      if (WriteMessage.parse(message).job === 'single') singleMs = Date.now();
      if (dueMs > 0) return DONE;
      await queues.add(account, 'single', 1, PRIORITY.interactive);
      // As long as a wait for the pace may be.
      dueMs = Date.now() + 950;
      return waitUntil(dueMs, true);
    },
    onFailed: () => {},
    onIdle: () => {},
  });
  onTestFinished(async () => {
    await running.close();
    await queues.close();
  });
  await until('the single create has been fetched', () => singleMs > 0);
  expect(singleMs).toBeLessThan(dueMs);
});
