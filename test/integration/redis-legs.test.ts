import { describe, expect, it } from 'vitest';
import { aTestRedis, testRedisLeg, uniquePrefix } from '../support/redis.ts';

/** What every leg promises, whichever one this run took; the job engine relies on each line. */
describe(`the tests' Redis`, () => {
  const setting = async (name: string) => {
    const { redis } = await aTestRedis();
    const answer = await redis.call('CONFIG', 'GET', name);
    return Array.isArray(answer) ? answer[1] : undefined;
  };

  it('says which leg it is', () => {
    expect(['url', 'container', 'local']).toContain(testRedisLeg());
  });

  it('syncs every acknowledged write to disk', async () => {
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('always');
  });

  it('refuses writes rather than dropping keys when memory ends', async () => {
    expect(await setting('maxmemory-policy')).toBe('noeviction');
  });

  it('gives every test keys of its own', () => {
    const prefixes = new Set(Array.from({ length: 1_000 }, uniquePrefix));
    expect(prefixes.size).toBe(1_000);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
  });

  it('runs a script over keys that share a tag', async () => {
    const { redis, keys } = await aTestRedis();
    const script = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('ZADD', KEYS[2], 1, ARGV[1])";
    expect(await redis.eval(script, 2, keys.facts(3, 'a'), keys.open(3), 'x')).toBe(1);
    expect(await redis.get(keys.facts(3, 'a'))).toBe('x');
  });
});
