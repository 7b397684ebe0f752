import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { createLogger } from '../../shared/logger.ts';
import { connectRedis, type Profile, type RedisClient, waitUntilReady } from '../../shared/redis/connect.ts';
import { createKeys, type Keys } from '../../shared/redis/keys.ts';

/** Where the tests' Redis is; the leg was chosen once, in redis-setup.ts. */
export function testRedisUrl(): string {
  return inject('redisUrl');
}

/** Which leg ran: `url`, `container` or `local`. */
export function testRedisLeg(): string {
  return inject('redisLeg');
}

/**
 * A key prefix nobody else has. Nothing is flushed: a failed test leaves its keys for a look
 * (the prefix starts with the time in base 36).
 */
export function uniquePrefix(): string {
  return `t-${Date.now().toString(36)}-${randomBytes(5).toString('hex')}`;
}

export const silentLogger = createLogger('test', 'silent');

/** A connection that is closed when the running test ends. */
export async function connectTestRedis(profile: Profile = 'worker'): Promise<RedisClient> {
  const url = testRedisUrl();
  const client = connectRedis(url, profile, silentLogger);
  onTestFinished(() => client.disconnect());
  await waitUntilReady(client, url, 10_000);
  return client;
}

export type TestRedis = { url: string; prefix: string; keys: Keys; redis: RedisClient };

/** Connection, prefix and keys of one test. Call it inside the test (or `beforeEach`). */
export async function aTestRedis(profile: Profile = 'worker'): Promise<TestRedis> {
  const prefix = uniquePrefix();
  return { url: testRedisUrl(), prefix, keys: createKeys(prefix), redis: await connectTestRedis(profile) };
}
