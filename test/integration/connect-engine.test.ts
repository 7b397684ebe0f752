import { expect, it, onTestFinished } from 'vitest';
import { connectEngine } from '../../shared/redis/connect.ts';
import { connectTestRedis, silentLogger, testRedisUrl } from '../support/redis.ts';

it('the engine does not stand behind a worker that waits for replicas', async () => {
  const redis = await connectTestRedis();
  const engine = connectEngine(testRedisUrl(), silentLogger);
  onTestFinished(() => engine.disconnect());
  let isWaiting = true;
  // Nobody replicates here.
  const waited = redis.wait(1, 2_000).then(() => {
    isWaiting = false;
  });
  expect(await engine.ping()).toBe('PONG');
  expect(isWaiting).toBe(true);
  await waited;
});
