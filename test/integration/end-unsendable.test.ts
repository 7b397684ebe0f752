import { expect, it } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import type { JobRecord } from '../../shared/domain/job.ts';
import { descriptors } from '../../shared/providers/descriptors.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { cancelJob } from '../../shared/use-cases/cancel-job.ts';
import { ACCOUNT_GONE, endUnsendable } from '../../shared/use-cases/end-unsendable.ts';
import { type Resolution, resolveJob } from '../../shared/use-cases/resolve-job.ts';
import { requeueOrphans } from '../../worker/sweep/requeue-orphans.ts';
import { silentLogger } from '../support/redis.ts';
import { aJobStore, type StoreUnderTest } from './job-store-support.ts';

const SEND = { attempt: 1, sentAtProviderMs: 0, verdictAtMs: 0 };
const WRITTEN = { remoteId: 'oppo_1', answer: { id: 'oppo_1' }, by: 'succeeded' as const };
const unused = () => Promise.reject(new Error('not to be asked'));

const queues = { add: unused, ring: unused, remove: async () => {}, has: async () => true, activate: unused };

async function aWaitingJob(store: StoreUnderTest, patch: Partial<JobRecord>): Promise<JobRecord> {
  const job = await store.aJob(await store.anAccount());
  const { written, unknownSends } = patch;
  if (written) await store.move(job, 'running');
  await store.move(job, 'waiting', { written, ...(unknownSends ? { unknownSends } : {}) });
  return store.find(job.id);
}

it.each([
  ['was written', { written: WRITTEN }, 'succeeded'],
  ['may have been written', { unknownSends: [SEND] }, 'needs_review'],
  ['was not sent', {}, 'failed'],
])('a job without an account that %s: %j → %s', async (_, patch, status) => {
  const store = await aJobStore();
  const job = await aWaitingJob(store, patch);
  await endUnsendable(store.jobs, job, ACCOUNT_GONE);
  const ended = await store.find(job.id);
  expect(ended.status).toBe(status);
  if (status === 'succeeded')
    expect(ended).toMatchObject({
      result: { id: 'oppo_1' },
      error: undefined,
      warnings: [{ code: 'read_back_failed' }],
    });
  else expect(ended.error).toMatchObject({ message: 'The account was deleted.' });
});

it.each([
  ['is gone', undefined],
  ['is another workspace’s by now', { workspace: 'other' } as Account],
])('an open job whose account %s is ended by the sweep, from whatever status', async (_, account) => {
  const store = await aJobStore();
  const waiting = await aWaitingJob(store, { written: WRITTEN });
  // As a retry that was under way while the account was deleted leaves it.
  const queued = await store.aJob(await store.anAccount());
  store.clock.now += 60_000;
  const { redis, keys, jobs } = store;
  await Promise.all(
    [waiting, queued].map((job) =>
      redis.zadd(keys.open(store.partitionOf(job.account)), 1, `${job.account} ${job.id}`),
    ),
  );
  const deps = { redis, keys, partitions: 4, jobs, queues, logger: silentLogger };
  await requeueOrphans({ ...deps, store: { get: async () => account } });
  expect((await store.find(waiting.id)).status).toBe('succeeded');
  expect((await store.find(queued.id)).status).toBe('failed');
});

it('a job that may have been written is not cancelled, also by who does not know of it yet', async () => {
  const store = await aJobStore();
  const job = await store.aJob(await store.anAccount());
  const deps = { jobs: store.jobs, queues };
  await store.move(job, 'waiting', { unknownSends: [SEND] });
  for (const known of [await store.find(job.id), { ...job, status: 'waiting' as const }])
    await expect(cancelJob(deps, known)).rejects.toMatchObject({
      statusCode: 409,
    });
  expect((await store.find(job.id)).status).toBe('waiting');
});

it.each<[Resolution, object]>([
  [{ remoteId: 'oppo_7' }, { status: 'succeeded', result: { id: 'oppo_7' } }],
  [{ notCreated: true }, { status: 'failed', error: { message: 'The account was deleted.' } }],
])('a doubt is ended by a person although the account is gone: %j', async (resolution, ended) => {
  const store = await aJobStore();
  const job = await store.aJobIn(await store.anAccount(), 'needs_review');
  const deps = {
    accounts: { facts: unused },
    jobs: store.jobs,
    queues,
    queries: { ask: unused },
    descriptorOf: () => descriptors.close,
    clock: systemClock,
  };
  await resolveJob(deps, job, undefined, resolution);
  expect(await store.find(job.id)).toMatchObject(ended);
});
