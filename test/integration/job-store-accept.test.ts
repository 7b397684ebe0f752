import { describe, expect, it, onTestFinished } from 'vitest';
import { closeRedis } from '../../shared/redis/connect.ts';
import { connectTestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { aJobStore } from './job-store-support.ts';

describe('accepting', () => {
  it('makes one job of a hundred requests with the same key at the same time', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const idempotency = { key: 'order-1', fingerprint: 'f' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => store.accept(account, { idempotency })),
    );
    const accepted = answers.flatMap((answer) => (answer.kind === 'accepted' ? [answer.job.id] : []));
    const replayed = answers.flatMap((answer) => (answer.kind === 'replayed' ? [answer.jobId] : []));
    expect(accepted).toHaveLength(1);
    expect(replayed).toHaveLength(99);
    expect(new Set(replayed)).toEqual(new Set(accepted));
    expect(await store.jobs.counts(account)).toEqual({ waiting: 1, running: 0, delayed: 0 });
    expect(await store.jobs.findByIdempotencyKey(account, 'order-1')).toBe(accepted[0]);
  });

  it('refuses a key that belongs to another request, and stores nothing of it', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const job = await store.aJob(account, { idempotency: { key: 'k', fingerprint: 'one' } });
    const id = store.jobs.newId(account);
    const refused = await store.accept(account, { idempotency: { key: 'k', fingerprint: 'two' } }, id);
    expect(refused).toEqual({ kind: 'key_reused', jobId: job.id });
    expect(await store.jobs.find(id)).toBeUndefined();
    expect((await store.jobs.counts(account)).waiting).toBe(1);
  });

  it('keeps the keys of two accounts apart', async () => {
    const store = await aJobStore();
    const idempotency = { key: 'k', fingerprint: 'f' };
    const first = await store.aJob(await store.anAccount(), { idempotency });
    const second = await store.aJob(await store.anAccount(), { idempotency });
    expect(first.id).not.toBe(second.id);
  });

  it('ends at the backlog limit, which ended jobs do not count against', async () => {
    const store = await aJobStore({ backlogLimit: 3 });
    const account = await store.anAccount();
    await store.aJobIn(account, 'waiting');
    await store.aJobIn(account, 'running');
    const third = await store.aJob(account);
    expect(await store.accept(account)).toEqual({ kind: 'backlog_full', open: 3 });
    await store.move(third, 'failed');
    expect(await store.accept(account)).toMatchObject({ kind: 'accepted' });
  });

  it.each(['deleting', undefined])('refuses for an account that is %s', async (status) => {
    const store = await aJobStore();
    const account = status ? await store.anAccount(status) : '0190a5e4-0000-7000-8000-000000000000';
    expect(await store.accept(account)).toEqual({ kind: 'no_account' });
  });

  it.each(['paused', 'needs_reauth'])('goes on for an account that is %s', async (status) => {
    const store = await aJobStore();
    expect(await store.accept(await store.anAccount(status))).toMatchObject({ kind: 'accepted' });
  });

  it('rings only when nobody is attending to the queue', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    expect(await store.accept(account)).toMatchObject({ bell: true });
    expect(await store.accept(account)).toMatchObject({ bell: false });
    // A queue whose next work was hours away.
    await store.redis.zadd(store.keys.active(store.partitionOf(account)), Date.now() + 3_600_000, account);
    expect(await store.accept(account)).toMatchObject({ bell: true });
  });

  it('tells bulk work of the account to make way, if there was any lately', async () => {
    const store = await aJobStore();
    const subscriber = await connectTestRedis();
    onTestFinished(() => closeRedis(subscriber));
    const told: string[] = [];
    subscriber.on('message', (_: string, account: string) => told.push(account));
    await subscriber.subscribe(store.keys.makeWay);
    const [busy, idle, past] = await Promise.all([store.anAccount(), store.anAccount(), store.anAccount()]);
    const bulkAt = (account: string, ms: number) =>
      store.redis.hset(store.keys.gate(store.partitionOf(account), account), 'bulk_at', store.clock.now + ms);
    await Promise.all([bulkAt(busy, -500), bulkAt(past, -60_000)]);
    for (const account of [past, idle, busy]) await store.accept(account);
    await until('it is told', () => told.length > 0);
    expect(told).toEqual([busy]);
  });

  it('sent twice by the connection does not put a job back that has moved on', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const job = await store.aJob(account);
    await store.start(job);
    const again = await store.accept(account, {}, job.id);
    expect(again).toEqual({ kind: 'replayed', jobId: job.id });
    expect(await store.find(job.id)).toMatchObject({ status: 'running', attemptNumber: 1 });
    expect(await store.jobs.counts(account)).toEqual({ waiting: 0, running: 1, delayed: 0 });
  });

  it('keeps everything that was given, and reads it back as it was', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const input = {
      request: {
        query: {
          response_format: 'raw' as const,
          exclude_fields: ['amount'],
          on_unsupported: 'warn' as const,
        },
        body: { name: 'Zürich “€” 𝒳', amount: 1250.55, custom_fields: { 'a b': [1, null, 'x'] } },
      },
      appliedDefaults: { currency: 'EUR' },
      warnings: [{ code: 'unsupported_field' as const, pointer: '/tags', message: 'm' }],
      idempotency: { key: 'k k', fingerprint: 'f' },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      callbackUrl: 'https://example.com/hook?a=b',
    };
    const job = await store.aJob(account, input);
    const { idempotency, ...rest } = input;
    expect(job).toMatchObject({ ...rest, idempotencyKey: idempotency.key, status: 'queued', sequence: 1 });
  });
});
