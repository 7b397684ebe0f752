import { describe, expect, it } from 'vitest';
import { isEnded, JOB_STATUSES, type JobStatus, TRANSITIONS } from '../../shared/domain/job.ts';
import { connectTestRedis } from '../support/redis.ts';
import { aJobStore, RETENTION_MS } from './job-store-support.ts';

const isAllowed = (from: JobStatus, to: JobStatus) =>
  (TRANSITIONS[from] as readonly JobStatus[]).includes(to);

describe.each(JOB_STATUSES.map((from) => [from]))('a job that is %s', (from) => {
  it.each(JOB_STATUSES.map((to) => [to, isAllowed(from, to) ? 'may' : 'may not'] as const))(
    'and is to be %s: %s',
    async (to) => {
      const store = await aJobStore();
      const account = await store.anAccount();
      const before = await store.aJobIn(account, from);
      store.clock.now += 10;
      const moved = await store.move(before, to, { probes: 7 });
      const after = await store.find(before.id);
      if (!isAllowed(from, to)) {
        expect(moved).toEqual({ kind: 'refused', status: from });
        expect(after).toEqual(before);
        return;
      }
      expect(moved).toMatchObject({ kind: 'moved', generation: before.generation });
      expect(after).toMatchObject({ status: to, probes: 7, updatedAtMs: store.clock.now });
      // A status that "moves" to itself is no transition: nobody is told of one.
      expect(after.sequence - before.sequence).toBe(from === to ? 0 : 1);
      expect(after.finishedAtMs).toBe(isEnded(to) ? store.clock.now : undefined);
    },
  );

  it('stands in exactly the indexes of its status', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const job = await store.aJobIn(account, from);
    const p = store.partitionOf(account);
    for (const status of JOB_STATUSES) {
      const isThere = (await store.redis.zscore(store.keys.jobsIn(p, account, status), job.id)) !== null;
      expect(isThere, status).toBe(status === from && from !== 'succeeded');
    }
    expect(await store.redis.zscore(store.keys.jobs(p, account), job.id)).not.toBeNull();
    const isSwept = (await store.redis.zscore(store.keys.open(p), `${account} ${job.id}`)) !== null;
    expect(isSwept).toBe(from === 'queued' || from === 'running' || from === 'waiting');
  });

  it('goes away with its idempotency key after the retention if it has ended, and stays otherwise', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const job = await store.aJobIn(account, from, { idempotency: { key: 'k', fingerprint: 'f' } });
    const p = store.partitionOf(account);
    const ttls = await Promise.all(
      [store.keys.job(p, job.id), store.keys.idempotency(p, account, job.idempotencyHash ?? '')].map((key) =>
        store.redis.pttl(key),
      ),
    );
    if (isEnded(from)) for (const ttl of ttls) expect(ttl).toBeGreaterThan(RETENTION_MS - 5_000);
    else expect(ttls).toEqual([-1, -1]);
  });
});

it.each(['succeeded', 'failed', 'cancelled'] as const)(
  'a %s job that is opened again stays',
  async (from) => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const job = await store.aJobIn(account, from, { idempotency: { key: 'k', fingerprint: 'f' } });
    const moved = await store.jobs.move(job, {
      to: 'queued',
      newGeneration: true,
      generation: job.generation,
    });
    expect(moved).toMatchObject({ kind: 'moved', generation: job.generation + 1 });
    const p = store.partitionOf(account);
    expect(await store.redis.pttl(store.keys.job(p, job.id))).toBe(-1);
    expect(await store.redis.pttl(store.keys.idempotency(p, account, job.idempotencyHash ?? ''))).toBe(-1);
    expect(await store.find(job.id)).toMatchObject({ status: 'queued', finishedAtMs: undefined });
    expect(await store.redis.zscore(store.keys.active(p), account)).not.toBeNull();
  },
);

it('tells of a transition on the channel of the job, once, and not of a second wait', async () => {
  const store = await aJobStore();
  const job = await store.aJob(await store.anAccount());
  const subscriber = await connectTestRedis();
  const told: string[] = [];
  subscriber.on('message', (_: string, status: string) => told.push(status));
  await subscriber.subscribe(store.keys.done(job.id));
  for (const to of ['waiting', 'waiting', 'running', 'succeeded'] as const) await store.move(job, to);
  await expect.poll(() => told).toEqual(['waiting', 'running', 'succeeded']);
});
