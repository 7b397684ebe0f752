import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import { connectRedis, type Profile, type RedisClient } from '../../shared/redis/connect.ts';
import { createKeys } from '../../shared/redis/keys.ts';
import { partitionOfAccount } from '../../shared/redis/partitions.ts';
import { DONE } from '../../worker/next-step.ts';
import { runQueue } from '../../worker/run-queue.ts';
import { startOwnRedis } from '../support/own-redis.ts';
import { silentLogger } from '../support/redis.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { until } from '../support/until.ts';

const PARTITIONS = 1;

/** A Redis of the test's own with one account, and what works on it as our processes do. */
async function aTrouble() {
  const redis = await startOwnRedis();
  onTestFinished(() => redis[Symbol.asyncDispose]());
  const keys = createKeys('outage');
  const clients: RedisClient[] = [];
  const connect = (profile: Profile) => {
    const client = connectRedis(redis.url, profile, silentLogger);
    onTestFinished(() => client.disconnect());
    clients.push(client);
    return client;
  };
  /** A connection that can be held, as if the other end were gone without a word. */
  const connectVia = (proxy: RedisProxy, profile: Profile, silentMs: number) => {
    const client = connectRedis(proxy.url, profile, silentLogger, silentMs);
    onTestFinished(() => client.disconnect());
    return client;
  };
  const account = randomUUID();
  const ran: unknown[] = [];
  return {
    redis,
    account,
    connect,
    ran,
    queuesOn: (client: RedisClient) =>
      createAccountQueues({ redis: client, keys, partitions: PARTITIONS, logger: silentLogger }),
    connectVia,
    run: (connection = connect('worker')) =>
      runQueue({
        name: account,
        prefix: keys.queuePrefix(partitionOfAccount(account, PARTITIONS)),
        connection,
        concurrency: 1,
        lockMs: 30_000,
        stalledMs: 30_000,
        logger: silentLogger,
        processor: async (message) => {
          ran.push(message);
          return DONE;
        },
        onFailed: () => {},
        onIdle: () => {},
      }),
    /** Kills it; resolves when all connections know. */
    async lose() {
      await redis.kill();
      await until('it is lost', () => clients.every((client) => client.status === 'reconnecting'));
    },
  };
}

describe('an engine that is closed while Redis is away', () => {
  it('has ended when Redis is back, and leaves no connection', async () => {
    const { redis, account, connect, queuesOn, ran, run, lose } = await aTrouble();
    const client = connect('worker');
    const running = run();
    await queuesOn(client).add(account, 'job', 1, PRIORITY.interactive);
    await until('it has run', () => ran.length === 1);
    await lose();
    const closing = running.close();
    await redis.start();
    await until('it is closed', () => closing.then(() => true));
    expect(await client.call('CLIENT', 'LIST')).not.toContain('cmd=bzpopmin');
  });
});

describe('an engine that is closed while Redis rewrites its file', () => {
  it('ends at once: it does not wait until the child of Redis lets its socket go', async () => {
    const { account, connect, queuesOn, ran, run } = await aTrouble();
    const client = connect('worker');
    const running = run();
    await queuesOn(client).add(account, 'job', 1, PRIORITY.interactive);
    await until('it has run', () => ran.length === 1);
    // The child takes a second for a key, and has several.
    await client.call('CONFIG', 'SET', 'rdb-key-save-delay', '1000000');
    await client.call('MSET', ...Array.from({ length: 20 }, (_, i) => [`key${i}`, 'x']).flat());
    await client.call('BGREWRITEAOF');
    await until('it rewrites', async () =>
      (await client.info('persistence')).includes('aof_rewrite_in_progress:1'),
    );
    const outcome = running.close().then(() => 'closed');
    // ioredis by itself would wait for two.
    expect(await Promise.race([outcome, sleep(1_500, 'still closing')])).toBe('closed');
  });
});

describe('a queue', () => {
  it('that is first used while Redis is away can be used when Redis is back', async () => {
    const { redis, account, connect, queuesOn, lose } = await aTrouble();
    const client = connect('producer');
    await until('it is connected', () => client.status === 'ready');
    const queues = queuesOn(client);
    const add = () => queues.add(account, 'job', 1, PRIORITY.interactive);
    await lose();
    await expect(add()).rejects.toThrow();
    await redis.start();
    await until('it is added', () => add().then(() => true));
  });

  it('that is first used on a connection lost before it was ready can be used on the next', async () => {
    const { redis, account, connect, queuesOn } = await aTrouble();
    // The system takes the connection, Redis says nothing.
    redis.freeze();
    const client = connect('worker');
    await until('it is connected', () => client.status === 'connect');
    const added = queuesOn(client).add(account, 'job', 1, PRIORITY.interactive);
    await redis.kill();
    await redis.start();
    await until('it is added', () => added.then(() => true));
  });

  it('that is first used in the turn of another command does not end the process', async () => {
    const { account, connect, queuesOn } = await aTrouble();
    const client = connect('worker');
    await until('it is connected', () => client.status === 'ready');
    const queues = queuesOn(client);
    await Promise.all([client.get('x'), queues.add(account, 'job', 1, PRIORITY.interactive)]);
    expect(await queues.has(account, 'job', 1)).toBe(true);
  });
});

describe('a connection whose other end is gone without a word', () => {
  it('is replaced: the API goes on', async () => {
    const { redis, connectVia } = await aTrouble();
    const proxy = await startRedisProxy(redis.url);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const client = connectVia(proxy, 'producer', 200);
    await until('it is connected', () => client.status === 'ready');
    const gone = proxy.hold({ command: 'GET', when: 'before' });
    const asked = client.get('x');
    await gone.reached;
    // Sent again over the next connection, within its time.
    expect(await asked).toBe(null);
    expect(await client.ping()).toBe('PONG');
  });

  it('is replaced: the engine goes on with what it was about to fetch', async () => {
    const { redis, account, connect, connectVia, queuesOn, ran, run } = await aTrouble();
    const proxy = await startRedisProxy(redis.url);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const queues = queuesOn(connect('worker'));
    // Longer than a blocking read.
    const running = run(connectVia(proxy, 'worker', 1_500));
    onTestFinished(() => running.close());
    await queues.add(account, 'first', 1, PRIORITY.interactive);
    await until('the first has run', () => ran.length === 1);
    const gone = proxy.hold({ having: [`${account}:prioritized`], when: 'before' });
    await queues.add(account, 'second', 1, PRIORITY.interactive);
    await gone.reached;
    await until('the second has run', () => ran.length === 2);
  });
});
