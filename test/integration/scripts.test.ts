import { expect, it } from 'vitest';
import { defineScripts } from '../../shared/redis/scripts.ts';
import { aTestRedis } from '../support/redis.ts';

it('a script that Redis has forgotten is told once again, and an error of its own is none of that', async () => {
  const { redis, prefix } = await aTestRedis();
  const { dwGateLate } = defineScripts(redis);
  const gate = `${prefix}:{0}:gate`;
  await redis.script('FLUSH');
  await dwGateLate(gate, 'left0', '1.000');
  expect(await redis.hget(gate, 'left0')).toBe('1.000');
  await redis.del(gate);
  await redis.set(gate, 'no hash');
  await expect(dwGateLate(gate, 'left0', '2.000')).rejects.toThrow('WRONGTYPE');
});
