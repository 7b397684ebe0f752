import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Replicated, startReplicated } from '../support/sentinel.ts';
import { until } from '../support/until.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

// Sentinel takes seconds to notice, and processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const REPLICATED = { DURABILITY_REPLICAS: '1' };

let redis: Replicated;
let rig: Rig;
let account: Target;

beforeEach(async () => {
  redis = await startReplicated();
});
afterEach(async () => {
  await rig?.close();
  await redis?.[Symbol.asyncDispose]();
});

async function start(env: Record<string, string>): Promise<void> {
  rig = await startRig(redis.url, env);
  account = await rig.account('close');
}

/** Sends the key again until it is accepted, as clients are told to. */
async function createUntilAccepted(name: string): Promise<string> {
  const accepted = await until(
    'the create is accepted',
    async () => {
      const answer = await rig.create(account, name, name);
      return answer.status === 202 ? answer : undefined;
    },
    { everyMs: 100, withinMs: 45_000 },
  );
  return String(accepted.body.id);
}

it('a replica that is behind: 503 instead of a promise, and the same key is safe', async () => {
  await start(REPLICATED);
  await rig.worker(REPLICATED);
  redis.replica.freeze();
  const name = aName('Behind');
  const refused = await rig.create(account, name, name).finally(redis.replica.thaw);
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const id = await createUntilAccepted(name);
  if (refused.body.job_id !== undefined) expect(id).toBe(refused.body.job_id);
  expect((await rig.ended(id)).status).toBe('succeeded');
  expect(await rig.records(account, name)).toHaveLength(1);
});

it('the primary dies under load: the replica has every accepted create, and each ends as one record', async () => {
  await start(REPLICATED);
  const worker = await rig.worker(REPLICATED);
  await rig.control('limits', { provider: 'close', latency_ms: 700 });
  const names = Array.from({ length: 24 }, (_, i) => aName(`Failover ${i}`));
  const ids = await Promise.all(names.map(createUntilAccepted));
  await until('calls are under way', async () => (await rig.createCalls(account, 'Failover')) > 0);
  await redis.primary.kill();
  await redis.failedOver();
  // It comes back as the replica of the other: until then nothing can be promised.
  await redis.primary.start();
  const late = aName('Failover late');
  ids.push(await createUntilAccepted(late));
  for (const [i, name] of [...names, late].entries()) {
    expect((await rig.ended(ids[i] ?? '', 60_000)).status, name).toBe('succeeded');
    expect(await rig.records(account, name), name).toHaveLength(1);
  }
  expect(worker.child.hasExited()).toBe(false);
  expect(worker.records('epoch.began').length).toBeGreaterThan(0);
});

it('without replicas to wait for, an accepted create can be gone: that is what they are for', async () => {
  await start({});
  redis.replica.freeze();
  const name = aName('Gone');
  const accepted = await rig.create(account, name, name);
  expect(accepted.status).toBe(202);
  await redis.primary.kill();
  redis.replica.thaw();
  await redis.failedOver();
  const answer = await until(
    'the API answers again',
    async () => {
      const shown = await rig.ask('GET', `/jobs/${accepted.body.id}`);
      return shown.status < 500 ? shown : undefined;
    },
    { withinMs: 30_000 },
  );
  expect(answer.status).toBe(404);
});
