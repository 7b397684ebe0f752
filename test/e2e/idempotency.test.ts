import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunningProcess } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 60_000 });

let rig: Rig;
let account: Target;
let second: RunningProcess;
let worker: RunningProcess;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  account = await rig.account('capsule');
  second = await rig.anotherApiForAll();
  worker = await rig.workerForAll();
});
afterAll(async () => {
  await Promise.all([second.kill(), worker.kill()]);
  await rig.close();
});

it('fifty clients with one key, at two API processes at once, make one job and one record', async () => {
  const [name, key] = [aName('Stampede'), aName('key')];
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => rig.create(account, name, key, i % 2 ? second : rig.api)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const ids = new Set(answers.map(({ body }) => body.id));
  expect(ids.size).toBe(1);
  const first = answers.filter(({ headers }) => headers.get('idempotency-replayed') !== 'true');
  expect(first).toHaveLength(1);
  expect((await rig.ended(String([...ids][0]))).attempts).toHaveLength(1);
  expect(await rig.records(account, name)).toHaveLength(1);
});

it('a key with another body is refused, whoever is asked, and changes nothing', async () => {
  const [name, key] = [aName('Corrected'), aName('key')];
  const accepted = await rig.create(account, name, key);
  for (const api of [rig.api, second]) {
    const refused = await rig.create(account, `${name} corrected`, key, api);
    expect(refused.status).toBe(422);
    expect(refused.body.code).toBe('idempotency_key_reused');
    expect(refused.body.job_id).toBe(accepted.body.id);
  }
  expect((await rig.ended(String(accepted.body.id))).status).toBe('succeeded');
  expect(await rig.records(account, name)).toHaveLength(1);
});

it('a key outlives the processes: after kills of API and worker it still names its job', async () => {
  const [name, key] = [aName('Restarted'), aName('key')];
  const accepted = await rig.create(account, name, key, second);
  await Promise.all([second.kill(), worker.kill()]);
  [second, worker] = await Promise.all([rig.anotherApiForAll(), rig.workerForAll()]);
  const again = await rig.create(account, name, key, second);
  expect(again.body.id).toBe(accepted.body.id);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect((await rig.ended(String(accepted.body.id))).status).toBe('succeeded');
  expect(await rig.records(account, name)).toHaveLength(1);
});

it('a key lives exactly as long as its job; after that it is free', async () => {
  const [name, key] = [aName('Retained'), aName('key')];
  const { body } = await rig.create(account, name, key);
  const jobKey = rig.keys.job(rig.partitionOf(account), String(body.id));
  const [idempotencyKey = ''] = await rig.redis
    .keys(`${rig.keys.queuePrefix(rig.partitionOf(account))}:idem:*`)
    .then(async (all) => {
      const values = await Promise.all(all.map((one) => rig.redis.get(one)));
      return all.filter((_, i) => values[i]?.endsWith(String(body.id)));
    });
  expect(await rig.redis.pttl(idempotencyKey)).not.toBe(0);
  await rig.ended(String(body.id));
  const [jobMs, keyMs] = await Promise.all([rig.redis.pttl(jobKey), rig.redis.pttl(idempotencyKey)]);
  expect(jobMs).toBeGreaterThan(0);
  expect(Math.abs(jobMs - keyMs)).toBeLessThan(1_000);

  // The retention passes.
  await Promise.all([rig.redis.pexpire(jobKey, 1), rig.redis.pexpire(idempotencyKey, 1)]);
  await until('both are gone', async () => (await rig.redis.exists(jobKey, idempotencyKey)) === 0);
  const anew = await rig.create(account, name, key);
  expect(anew.status).toBe(202);
  expect(anew.body.id).not.toBe(body.id);
  expect((await rig.ended(String(anew.body.id))).status).toBe('succeeded');
  expect(await rig.records(account, name)).toHaveLength(2);
});
