import { describe, expect, it } from 'vitest';
import { JOB_STATUSES, type JobStatus } from '../../shared/domain/job.ts';
import type { JobFilter } from '../../shared/stores/job-store.ts';
import { aJobStore, type StoreUnderTest } from './job-store-support.ts';

async function allPages(store: StoreUnderTest, filter: Omit<JobFilter, 'cursor'>): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await store.jobs.list({ ...filter, cursor });
    pages.push(page.jobs.map(({ id }) => id));
    cursor = page.nextCursor;
    if (pages.length > 100) throw new Error('the list does not end');
  } while (cursor);
  return pages;
}

/** Jobs of three accounts in different partitions, one a millisecond, in every status. */
async function manyJobs(store: StoreUnderTest) {
  const accounts = [await store.anAccount(), await store.anAccount(), await store.anAccount()];
  const jobs: { id: string; account: string; status: JobStatus; atMs: number }[] = [];
  for (let i = 0; i < 42; i++) {
    store.clock.now += 1;
    const account = accounts[i % 3] ?? '';
    const status = JOB_STATUSES[i % JOB_STATUSES.length] ?? 'queued';
    const { id } = await store.aJobIn(account, status);
    jobs.unshift({ id, account, status, atMs: store.clock.now });
  }
  return { accounts, jobs };
}

describe('the list of jobs', () => {
  it('goes from new to old over all accounts, page by page, without a gap or a double', async () => {
    const store = await aJobStore();
    const { accounts, jobs } = await manyJobs(store);
    for (const limit of [1, 4, 7, 42, 100]) {
      const pages = await allPages(store, { accounts, limit });
      expect(pages.flat()).toEqual(jobs.map(({ id }) => id));
      expect(pages.every((page) => page.length <= limit)).toBe(true);
    }
  });

  it.each<[string, JobStatus[]]>([
    ['one status', ['waiting']],
    ['succeeded, which has no index of its own', ['succeeded']],
    ['several', ['queued', 'running', 'waiting']],
    ['several with succeeded', ['failed', 'succeeded']],
  ])('by %s', async (_, statuses) => {
    const store = await aJobStore();
    const { accounts, jobs } = await manyJobs(store);
    const wanted = jobs.filter(({ status }) => statuses.includes(status)).map(({ id }) => id);
    expect((await allPages(store, { accounts, statuses, limit: 4 })).flat()).toEqual(wanted);
  });

  it('of one account, and of what was created after a moment', async () => {
    const store = await aJobStore();
    const { accounts, jobs } = await manyJobs(store);
    const [account = ''] = accounts;
    const createdAfterMs = jobs[20]?.atMs ?? 0;
    const wanted = jobs.filter((job) => job.account === account && job.atMs > createdAfterMs);
    const pages = await allPages(store, { accounts: [account], createdAfterMs, limit: 3 });
    expect(pages.flat()).toEqual(wanted.map(({ id }) => id));
  });

  it('shows a job once although it changes its status while it is read', async () => {
    const store = await aJobStore();
    const account = await store.anAccount();
    const job = await store.aJobIn(account, 'waiting');
    const p = store.partitionOf(account);
    // As it looks to a reader that saw one index before the move and the other after it.
    await store.redis.zadd(store.keys.jobsIn(p, account, 'queued'), 0, job.id);
    const { jobs } = await store.jobs.list({
      accounts: [account],
      statuses: ['queued', 'waiting'],
      limit: 10,
    });
    expect(jobs.map(({ id }) => id)).toEqual([job.id]);
  });

  it('passes over ids whose records have expired', async () => {
    const store = await aJobStore();
    const { accounts, jobs } = await manyJobs(store);
    const gone = jobs.slice(3, 20);
    for (const { id, account } of gone) await store.redis.del(store.keys.job(store.partitionOf(account), id));
    const left = jobs.filter((job) => !gone.includes(job)).map(({ id }) => id);
    expect((await allPages(store, { accounts, limit: 5 })).flat()).toEqual(left);
  });

  it('of no account is empty', async () => {
    const store = await aJobStore();
    expect(await store.jobs.list({ accounts: [], limit: 10 })).toEqual({ jobs: [] });
  });

  it.each(['', 'nonsense', '0190a5e4-0000-7000-8000-0000000000ff'])('knows no job %j', async (id) => {
    const store = await aJobStore();
    expect(await store.jobs.find(id)).toBeUndefined();
  });
});
