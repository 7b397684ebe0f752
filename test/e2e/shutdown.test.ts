import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunningProcess } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 60_000 });

/** Enough to be under way at every moment, few enough to be written within seconds. */
const RUN_MAX = 200;

/** SIGTERM under load: what is under way ends, the rest is given back, nothing is lost or repeated. */
let rig: Rig;
let account: Target;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  account = await rig.account('close');
});
afterAll(() => rig.close());

async function expectOneRecordEach(ids: string[], run: string): Promise<void> {
  for (const id of ids) {
    const job = await rig.ended(id, 30_000);
    expect(job.status).toBe('succeeded');
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['succeeded']);
  }
  expect(await rig.records(account, run)).toHaveLength(ids.length);
}

it('a worker ends its calls and gives the rest to the next one', async () => {
  await rig.control('limits', { provider: 'close', latency_ms: 500 });
  const first = await rig.worker();
  const run = aName('Handover');
  const created = await Promise.all(
    Array.from({ length: 60 }, (_, i) => rig.create(account, `${run} ${i}.`)),
  );
  await until('calls are under way', async () => (await rig.createCalls(account, run)) > 0);
  const exit = await first.stop();
  expect(exit).toEqual({ code: 0, signal: null });
  const done = (await rig.records(account, run)).length;
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(60);

  await rig.worker();
  await expectOneRecordEach(
    created.map(({ body }) => String(body.id)),
    run,
  );
  await rig.control('limits', { provider: 'close', latency_ms: 0 });
});

it('APIs and workers are replaced one by one under load', async () => {
  let apis: RunningProcess[] = [await rig.anotherApi()];
  let worker = await rig.worker();
  const run = aName('Rolling');
  const ids: string[] = [];
  let replaced = false;
  let n = 0;
  const client = async () => {
    while (!replaced && n < RUN_MAX) {
      const name = `${run} ${n++}.`;
      // As a load balancer does: a process that no longer listens is left out, and the key makes a repeat safe.
      const { body } = await until('accepted', async () => {
        const answer = await rig.create(account, name, name, apis[n % apis.length]);
        return answer.status === 202 ? answer : undefined;
      });
      ids.push(String(body.id));
    }
  };
  const clients = Promise.all(Array.from({ length: 4 }, client));

  const [oldApi, oldWorker] = [apis[0], worker];
  const newApi = await rig.anotherApi();
  apis = [newApi];
  expect(await oldApi?.stop()).toEqual({ code: 0, signal: null });
  worker = await rig.worker();
  expect(await oldWorker.stop()).toEqual({ code: 0, signal: null });
  replaced = true;
  await clients;
  expect(ids.length).toBeGreaterThan(10);
  await expectOneRecordEach(ids, run);
});

it('an API that is told to stop answers what it has taken', async () => {
  const api = await rig.anotherApi();
  await rig.worker();
  const run = aName('Taken');
  let answered = 0;
  const answers = Promise.allSettled(
    Array.from({ length: 50 }, (_, i) =>
      rig.create(account, `${run} ${i}.`, `${run} ${i}`, api).finally(() => answered++),
    ),
  );
  await until('it has taken some', () => answered > 0, { everyMs: 1 });
  const [exit, settled] = await Promise.all([api.stop(), answers]);
  expect(exit).toEqual({ code: 0, signal: null });
  const taken = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(taken.length).toBeGreaterThan(0);
  for (const { status } of taken) expect(status).toBe(202);
  // Whoever got no answer repeats the key elsewhere.
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, i) => rig.create(account, `${run} ${i}.`, `${run} ${i}`)),
  );
  await expectOneRecordEach(
    all.map(({ body }) => String(body.id)),
    run,
  );
});
