import { expect, it } from 'vitest';
import { hasRedisProgram } from '../support/own-redis.ts';
import { runWebhookChaos } from '../support/webhook-chaos.ts';

/** Small here; `npm run bench -- webhooks-chaos` runs it with 2,000 jobs. */
it('every event arrives while receiver, workers and Redis fail', { timeout: 90_000 }, async (context) => {
  if (!hasRedisProgram())
    context.skip('needs a Redis server of its own to kill, and there is no program for one');
  const result = await runWebhookChaos({
    ...{ jobs: 80, endpoints: 2, workers: 2, chaosMs: 5_000, settleWithinMs: 40_000 },
  });
  console.log(JSON.stringify(result));
  expect(result).toMatchObject({ missing: [], unexpected: [], unverified: 0 });
  expect(result.events).toBeGreaterThanOrEqual(80);
  expect(result.distinct).toBe(result.events * result.endpoints);
  expect(result.worker_kills).toBeGreaterThan(0);
  expect(result.redis_kills).toBeGreaterThan(0);
});
