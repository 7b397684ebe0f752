import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { until } from '../support/until.ts';
import { cpuMsOf } from './cpu.ts';
import { type Answer, aName, BY_KEY, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 60_000 });

/** How long after `start` a request may begin to leave; see worker/write-opportunity/attempt.ts. */
const SEND_WITHIN_MS = 10_000;

/** Redis goes away, stands still, or refuses to write: what the API answers, what the worker does, and what is left. */
let redis: OwnRedis;
let rig: Rig;
let account: Target;

beforeAll(async () => {
  redis = await startOwnRedis();
  rig = await startRig(redis.url);
  account = await rig.account('close');
});
afterAll(async () => {
  await rig?.close();
  await redis?.[Symbol.asyncDispose]();
});

/** Sends the key again until it is accepted, as clients are told to. */
async function createUntilAccepted(name: string, key: string): Promise<string> {
  const accepted = await until(
    'the create is accepted',
    async () => {
      const answer = await rig.create(account, name, key);
      return answer.status === 202 ? answer : undefined;
    },
    { everyMs: 100 },
  );
  return String(accepted.body.id);
}

/** A 503 that says when to come back, soon enough for a client that waits. */
function expectRefusedFast({ status, headers, body }: Answer, sinceMs: number): void {
  expect(status).toBe(503);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body.retryable).toBe(true);
  expect(Date.now() - sinceMs).toBeLessThan(4_000);
}

async function expectOneRecordEach(names: string[], ids: string[]): Promise<void> {
  for (const [i, name] of names.entries()) {
    expect((await rig.ended(ids[i] ?? '')).status).toBe('succeeded');
    expect(await rig.records(account, name), name).toHaveLength(1);
  }
}

describe('Redis', () => {
  it('is killed under load and restarts from its files: nothing is lost, nothing doubled', async () => {
    await rig.control('limits', { provider: 'close', latency_ms: 400 });
    const worker = await rig.worker();
    const names = Array.from({ length: 20 }, (_, i) => aName(`Outage ${i}`));
    const ids = await Promise.all(names.map((name) => createUntilAccepted(name, name)));
    await until('calls are under way', async () => (await rig.createCalls(account, 'Outage')) > 0);
    await redis.kill();

    const sinceMs = Date.now();
    const [name, key] = [aName('Outage late'), aName('key')];
    expectRefusedFast(await rig.create(account, name, key), sinceMs);
    expect((await fetch(`${rig.api.origin}/readyz`)).status).toBe(503);
    expect((await fetch(`${rig.api.origin}/healthz`)).status).toBe(200);

    await redis.start();
    const late = await createUntilAccepted(name, key);
    await expectOneRecordEach([...names, name], [...ids, late]);
    expect(worker.child.hasExited()).toBe(false);
    await rig.control('limits', { provider: 'close', latency_ms: 0 });
  });

  it('is frozen: the accept that timed out is answered 503 with its job, and the key finds it', async () => {
    await rig.worker();
    const [name, key] = [aName('Frozen'), aName('key')];
    redis.freeze();
    const sinceMs = Date.now();
    const answer = await rig.create(account, name, key).finally(redis.thaw);
    expectRefusedFast(answer, sinceMs);
    const id = await createUntilAccepted(name, key);
    if (answer.body.job_id !== undefined) expect(id).toBe(answer.body.job_id);
    await expectOneRecordEach([name], [id]);
  });

  it.each<[string, string, string, string]>([
    ['NOREPLICAS', 'min-replicas-to-write', '1', '0'],
    ['OOM', 'maxmemory', '1mb', '0'],
  ])('refuses writes (%s): workers rest, finish waits, all comes to its end', async (_, setting, on, off) => {
    const worker = await rig.worker();
    const names = Array.from({ length: 10 }, (_unused, i) => aName(`Refused ${setting} ${i}`));
    await rig.control('limits', { provider: 'close', latency_ms: 1_000 });
    const ids = await Promise.all(names.map((name) => createUntilAccepted(name, name)));
    await until(
      'calls are under way',
      async () => (await rig.createCalls(account, `Refused ${setting}`)) >= 8,
    );
    const admin = redis.connect();
    onTestFinished(async () => {
      await admin.config('SET', setting, off);
      admin.disconnect();
      await rig.control('limits', { provider: 'close', latency_ms: 0 });
    });
    await admin.config('SET', setting, on);

    const sinceMs = Date.now();
    expectRefusedFast(await rig.create(account, aName('Refused at the door'), aName('key')), sinceMs);
    // Of a script Redis refuses the first write that needs memory: the one that ends a job may get through.
    if (setting !== 'maxmemory')
      await until(
        'a confirmed write is kept at hand',
        () => worker.records('record.write_refused').length > 0,
      );
    const [cpuBefore, logBefore] = [cpuMsOf(worker), worker.logs().split('\n').length];
    const measuredSinceMs = Date.now();
    await until('three seconds have passed', () => Date.now() - measuredSinceMs > 3_000);
    expect(cpuMsOf(worker) - cpuBefore, 'CPU ms in three seconds').toBeLessThan(1_500);
    expect(worker.logs().split('\n').length - logBefore, 'log lines in three seconds').toBeLessThan(400);

    await admin.config('SET', setting, off);
    await expectOneRecordEach(names, ids);
    // What the gate could not be told meanwhile: a call may be away for 16 s here, and none of them is.
    await until('no lease is left', async () => (await rig.leases(account)) === 0, { withinMs: 5_000 });
  });

  it('refuses what came of a call for a moment: its turn is given back all the same', async () => {
    const worker = await rig.worker();
    await rig.control('limits', { provider: 'close', latency_ms: 300 });
    const admin = redis.connect();
    onTestFinished(async () => {
      await admin.config('SET', 'min-replicas-to-write', '0');
      admin.disconnect();
      await rig.control('limits', { provider: 'close', latency_ms: 0 });
    });
    const name = aName('Refused result');
    const id = await createUntilAccepted(name, name);
    await until('the call is under way', async () => (await rig.createCalls(account, name)) > 0, {
      everyMs: 5,
    });
    await admin.config('SET', 'min-replicas-to-write', '1');
    await until('its result is refused', () => worker.records('record.write_refused').length > 0);
    await admin.config('SET', 'min-replicas-to-write', '0');
    await expectOneRecordEach([name], [id]);
    await until('no lease is left', async () => (await rig.leases(account)) === 0, { withinMs: 5_000 });
  });

  it('has become a replica (READONLY): the same, and it goes on when it is a master again', async () => {
    await rig.worker();
    const admin = redis.connect();
    const name = aName('Readonly');
    onTestFinished(() => admin.disconnect());
    await admin.replicaof('127.0.0.1', '1');
    const sinceMs = Date.now();
    expectRefusedFast(await rig.create(account, name, name), sinceMs);
    await admin.replicaof('NO', 'ONE');
    await expectOneRecordEach([name], [await createUntilAccepted(name, name)]);
  });
});

describe('a worker that is frozen between its intent and its call', () => {
  it('does not send on thaw: the other one has looked, and written by the same key', async () => {
    const helper = await rig.worker();
    const keyed = await rig.account('salesforce', { marker: BY_KEY });
    await helper.stop();
    const proxy = await rig.proxy();
    const frozen = await rig.worker({}, proxy);
    const held = proxy.hold({ script: 'enter-and-start', when: 'after' });
    const name = aName('Frozen worker');
    const { body } = await rig.create(keyed, name);
    await held.reached;
    const startedMs = Date.now();
    process.kill(-frozen.child.pid, 'SIGSTOP');
    // What it waits for arrives while it cannot see it.
    held.release();

    await rig.worker();
    const job = await rig.ended(String(body.id));
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['ambiguous', 'succeeded']);
    await until('the time to send has passed', () => Date.now() - startedMs > SEND_WITHIN_MS, {
      withinMs: SEND_WITHIN_MS + 5_000,
    });
    process.kill(-frozen.child.pid, 'SIGCONT');
    await until('it has gone on', () => frozen.records('attempt.finished').length > 0);
    expect(frozen.records('attempt.finished')[0]).toMatchObject({ outcome: 'retryable' });
    expect(await rig.createCalls(keyed, name)).toBe(1);
    expect(await rig.job(String(body.id))).toEqual(job);
  });
});
