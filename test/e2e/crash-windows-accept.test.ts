import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { aName, NO_SWEEPS, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 60_000 });

/** An API process dies with SIGKILL in the middle of an accept; the window's repair, and what it would be without. */
let rig: Rig;
let account: Target;
let other: Target;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  account = await rig.account('close');
  other = await rig.account('close');
});
afterAll(() => rig.close());

/** A job accepted later, somewhere else, has come to its end: so much time has passed. */
async function anotherJobIsDone(): Promise<void> {
  const { body } = await rig.create(other, aName('Clock'));
  expect((await rig.ended(String(body.id))).status).toBe('succeeded');
}

async function jobOf(key: string): Promise<{ id: string; status: string } | undefined> {
  const { body } = await rig.ask('GET', `/jobs?integrated_account_id=${account.id}&idempotency_key=${key}`);
  const [job] = body.data as { id: string; status: string }[];
  return job;
}

it('after the record, before its engine job: the orphan sweep queues it', async () => {
  // Every worker sweeps once when it starts: this one before there is anything to find.
  const idle = await rig.worker(NO_SWEEPS);
  const proxy = await rig.proxy();
  const victim = await rig.anotherApi({}, proxy);
  const [name, key] = [aName('Orphan'), aName('key')];
  const held = proxy.hold({ script: 'accept', when: 'after' });
  const answer = rig.create(account, name, key, victim).catch(() => 'no answer');
  await held.reached;
  await victim.kill();
  expect(await answer).toBe('no answer');
  const job = await jobOf(key);
  expect(job?.status).toBe('queued');
  const engine = `${rig.keys.queuePrefix(rig.partitionOf(account))}:${account.id}:${job?.id}.1`;
  expect(await rig.redis.exists(engine)).toBe(0);

  await anotherJobIsDone();
  expect((await jobOf(key))?.status, 'without the sweep it stays queued').toBe('queued');
  await idle.stop();

  await rig.worker();
  expect((await rig.ended(String(job?.id))).status).toBe('succeeded');
  expect(await rig.records(account, name)).toHaveLength(1);
  const again = await rig.create(account, name, key);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body.id).toBe(job?.id);
});

it('after the engine job, before the bell: the sweep of `active` attaches the queue', async () => {
  const target = await rig.account('close');
  const idle = await rig.worker(NO_SWEEPS);
  const proxy = await rig.proxy();
  const victim = await rig.anotherApi({}, proxy);
  const name = aName('Unheard');
  const held = proxy.hold({ command: 'PUBLISH', having: [rig.keys.bell], when: 'before' });
  const { status, body } = await rig.create(target, name, undefined, victim);
  expect(status).toBe(202);
  await held.reached;
  await victim.kill();

  await anotherJobIsDone();
  expect((await rig.job(String(body.id))).status, 'without the sweep nobody comes').toBe('queued');
  await idle.stop();

  await rig.worker();
  expect((await rig.ended(String(body.id))).status).toBe('succeeded');
  expect(await rig.records(target, name)).toHaveLength(1);
});

it('after the engine job, before the 202: the client repeats its key and gets the same job', async () => {
  const proxy = await rig.proxy();
  const victim = await rig.anotherApi({}, proxy);
  const [name, key] = [aName('Unanswered'), aName('key')];
  const held = proxy.hold({ having: [account.id, '"job":"'], when: 'after' });
  const answer = rig.create(account, name, key, victim).catch(() => 'no answer');
  await held.reached;
  await victim.kill();
  expect(await answer).toBe('no answer');

  await rig.worker();
  const again = await rig.create(account, name, key);
  expect(again.status).toBe(202);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect((await rig.ended(String(again.body.id))).attempts).toHaveLength(1);
  expect(await rig.records(account, name)).toHaveLength(1);
  // Without the key it is another create: what makes the repeat safe is the key.
  const stranger = await rig.create(account, name);
  expect(stranger.body.id).not.toBe(again.body.id);
});

it('an accept that the connection sends twice leaves the record as it is', async () => {
  const proxy = await rig.proxy();
  const victim = await rig.anotherApi({}, proxy);
  const name = aName('Twice');
  // Without a key: nothing but the record itself says that it was accepted.
  const held = proxy.hold({ script: 'accept', when: 'after' });
  const answer = rig.create(account, name, null, victim);
  await held.reached;
  await rig.worker();
  // Redis has it, the reply is lost with the connection: the client library reconnects and sends the script again.
  const listed = await rig.ask('GET', `/jobs?integrated_account_id=${account.id}&limit=1`);
  const [{ id }] = listed.body.data as [{ id: string }];
  const before = await rig.ended(id);
  held.drop();
  const { status, body } = await answer;
  await until('it is connected again', () => fetch(`${victim.origin}/readyz`).then(({ ok }) => ok));
  expect([202, 503]).toContain(status);
  expect(body.id ?? body.job_id).toBe(id);
  expect(await rig.job(id)).toEqual(before);
  expect(await rig.records(account, name)).toHaveLength(1);
});
