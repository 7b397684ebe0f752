import { expect, it, onTestFinished } from 'vitest';
import { connectEngine } from '../../shared/redis/connect.ts';
import { connectTestRedis, silentLogger, testRedisUrl } from '../support/redis.ts';

it('the engine works on the connection of its worker', async () => {
  const redis = await connectTestRedis();
  expect(connectEngine(testRedisUrl(), silentLogger, redis, 0)).toEqual({ connection: redis, isOwn: false });
});

it('where writes wait for replicas it has one of its own: waiting holds up whatever stands behind', async () => {
  const redis = await connectTestRedis();
  const { connection, isOwn } = connectEngine(testRedisUrl(), silentLogger, redis, 1);
  onTestFinished(() => connection.disconnect());
  expect(isOwn).toBe(true);
  let isWaiting = true;
  // Nobody replicates here.
  const waited = redis.wait(1, 2_000).then(() => {
    isWaiting = false;
  });
  expect(await connection.ping()).toBe('PONG');
  expect(isWaiting).toBe(true);
  await waited;
});
