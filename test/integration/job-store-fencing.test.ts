import { describe, expect, it } from 'vitest';
import { aJobStore } from './job-store-support.ts';

describe('starting an attempt', () => {
  it('is granted to one of many that ask at the same time', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    const answers = await Promise.all(Array.from({ length: 20 }, () => store.start(job)));
    expect(answers.filter(({ kind }) => kind === 'go')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'in_flight')).toHaveLength(19);
    expect(await store.find(job.id)).toMatchObject({
      status: 'running',
      attemptNumber: 1,
      inFlight: { attempt: 1 },
    });
  });

  it('is refused while an attempt is in flight, whatever the generation has become', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    await store.start(job);
    const seen = await store.find(job.id);
    expect(await store.start(seen)).toEqual({ kind: 'in_flight' });
    expect(await store.jobs.requeue(seen)).toBe(2);
    expect(await store.start(await store.find(job.id))).toEqual({ kind: 'in_flight' });
  });

  it('is refused to an older generation', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    await store.jobs.requeue(job);
    expect(await store.start(job)).toEqual({ kind: 'not_this_one', why: 'superseded' });
    expect(await store.start(await store.find(job.id))).toMatchObject({ kind: 'go' });
  });

  it('takes nothing of a known budget when it is refused', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    await store.jobs.requeue(job);
    const gate = store.keys.gate(store.partitionOf(job.account), job.account);
    await store.redis.hset(gate, 'rem', 2, 'rem_reset', store.clock.now + 60_000);
    expect(await store.start(job)).toMatchObject({ kind: 'not_this_one' });
    expect(await store.redis.hget(gate, 'rem')).toBe('2');
    expect(await store.start(await store.find(job.id))).toMatchObject({ kind: 'go' });
    expect(await store.redis.hget(gate, 'rem')).toBe('1');
  });

  it('is refused to a run that does not know of the last attempt', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    await store.start(job);
    await store.move(job, 'waiting', { inFlight: null });
    expect(await store.start(job)).toEqual({ kind: 'not_this_one', why: 'superseded' });
  });

  it.each(['succeeded', 'failed', 'cancelled', 'needs_review'] as const)(
    'is refused when %s',
    async (status) => {
      const store = await aJobStore();
      const job = await store.aJobIn(await store.anAccount(), status);
      expect(await store.start(job)).toEqual({ kind: 'not_this_one', why: status });
    },
  );

  it('or cancelling wins, never both', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    for (let round = 0; round < 20; round++) {
      const job = await store.aJob(account);
      const cancel = () =>
        store.jobs.move(job, {
          to: 'cancelled',
          from: ['queued', 'waiting'],
          attempt: 0,
          generation: 1,
          onlyIdle: true,
        });
      const both = round % 2 ? [cancel(), store.start(job)] : [store.start(job), cancel()];
      const kinds = (await Promise.all(both)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'go' || kind === 'moved')).toHaveLength(1);
    }
  });

  it('counts the deadline from the first attempt, and from the first one after a retry', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const job = await store.aJob(account);
    const firstAtMs = store.clock.now;
    await store.start(job);
    await store.move(job, 'waiting', { inFlight: null });
    store.clock.now += 5_000;
    await store.start(await store.find(job.id));
    expect((await store.find(job.id)).firstAttemptAtMs).toBe(firstAtMs);
    await store.move(job, 'failed', { inFlight: null });
    await store.move(job, 'queued', { firstAttemptAtMs: null });
    store.clock.now += 5_000;
    await store.start(await store.find(job.id));
    expect((await store.find(job.id)).firstAttemptAtMs).toBe(store.clock.now);
  });

  it('keeps the newest fifty attempts', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    for (let n = 0; n < 60; n++) {
      await store.start(await store.find(job.id));
      await store.move(job, 'waiting', { inFlight: null });
    }
    const { attempts, attemptNumber } = await store.find(job.id);
    expect(attemptNumber).toBe(60);
    expect(attempts.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, i) => i + 11));
    const fields = await store.redis.hkeys(store.keys.job(Number.parseInt(job.id.slice(-2), 16), job.id));
    expect(fields.filter((field) => /^a\d+$/.test(field)).length).toBeLessThanOrEqual(51);
  });
});

describe('a write into the record is fenced', () => {
  it('by the attempt: what an older one says comes too late', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    await store.start(job);
    await store.move(job, 'waiting', { inFlight: null });
    await store.start(await store.find(job.id));
    expect(await store.jobs.move(job, { to: 'failed', attempt: 1 })).toEqual({ kind: 'fenced' });
    expect(await store.jobs.move(job, { to: 'waiting', attempt: 2 })).toMatchObject({ kind: 'moved' });
  });

  it('by the generation', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    await store.jobs.requeue(job);
    expect(await store.jobs.move(job, { to: 'failed', generation: 1 })).toEqual({ kind: 'fenced' });
    expect(await store.jobs.move(job, { to: 'failed', generation: 2 })).toMatchObject({ kind: 'moved' });
  });

  it('by an attempt in flight where only an idle job may move', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    await store.start(job);
    expect(await store.jobs.move(job, { to: 'failed', onlyIdle: true })).toEqual({ kind: 'fenced' });
    await store.move(job, 'waiting', { inFlight: null });
    expect(await store.jobs.move(job, { to: 'failed', onlyIdle: true })).toMatchObject({ kind: 'moved' });
  });

  it('and a refused one claims nothing', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const first = await store.aJobIn(account, 'cancelled');
    const second = await store.aJobIn(account, 'running');
    expect(await store.jobs.move(first, { to: 'succeeded', remoteId: 'r1' })).toMatchObject({
      kind: 'refused',
    });
    expect(await store.jobs.move(second, { to: 'succeeded', remoteId: 'r1' })).toMatchObject({
      kind: 'moved',
    });
  });
});

describe('a remote id', () => {
  it('belongs to one job of the account, by whatever road it was claimed', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const [first, second] = [await store.aJobIn(account, 'running'), await store.aJobIn(account, 'running')];
    expect(await store.jobs.move(first, { to: 'running', remoteId: 'r1' })).toMatchObject({ kind: 'moved' });
    expect(await store.jobs.move(first, { to: 'succeeded', remoteId: 'r1' })).toMatchObject({
      kind: 'moved',
    });
    const refused = await store.jobs.move(second, { to: 'succeeded', remoteId: 'r1', patch: { probes: 9 } });
    expect(refused).toEqual({ kind: 'claimed', by: first.id });
    expect(await store.find(second.id)).toMatchObject({ status: 'running', probes: 0 });
  });

  it('of another account is another one', async () => {
    const store = await aJobStore();
    for (let i = 0; i < 2; i++) {
      const job = await store.aJobIn(await store.anAccount(), 'running');
      expect(await store.jobs.move(job, { to: 'succeeded', remoteId: 'r1' })).toMatchObject({
        kind: 'moved',
      });
    }
  });
});

describe('requeueing', () => {
  it('gives an open job its next generation, once for many that try', async () => {
    const store = await aJobStore();
    const job = await store.aJob(await store.anAccount());
    const generations = await Promise.all(Array.from({ length: 10 }, () => store.jobs.requeue(job)));
    expect(generations.filter((generation) => generation !== undefined)).toEqual([2]);
  });

  it.each(['succeeded', 'failed', 'cancelled', 'needs_review'] as const)(
    'leaves a %s job alone',
    async (status) => {
      const store = await aJobStore();
      const job = await store.aJobIn(await store.anAccount(), status);
      expect(await store.jobs.requeue(job)).toBeUndefined();
      expect((await store.find(job.id)).generation).toBe(1);
    },
  );
});
