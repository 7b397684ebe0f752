import type { JobRecord, JobStatus } from '../domain/job.ts';
import { lowestIdAt, rowOfJobId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { decodeJob } from './job-codec.ts';

export type JobFilter = {
  accounts: string[];
  /** The same for all accounts, or by account. */
  statuses?: readonly JobStatus[] | ((account: string) => readonly JobStatus[]);
  createdAfterMs?: number;
  /** Rows of imports, too; without it they are left out. */
  withRows?: boolean;
  /** Id of the last job of the page before; the list goes from new to old. */
  cursor?: string;
  limit: number;
};
export type JobPage = { jobs: JobRecord[]; nextCursor?: string };

type Deps = { redis: RedisClient; keys: Keys; partitions: number };

/** Records read for one page at most: a filter that hardly matches gives a short page with a cursor, not a long wait. */
const READS_MAX = 2_000;

function statusesOf({ statuses }: JobFilter, account: string): readonly JobStatus[] | undefined {
  return typeof statuses === 'function' ? statuses(account) : statuses;
}

/** Indexes that hold every job of these statuses; succeeded jobs stand only in the index of all. */
function indexesFor(deps: Deps, account: string, filter: JobFilter): string[] {
  const statuses = statusesOf(filter, account);
  const p = partitionOfAccount(account, deps.partitions);
  if (!statuses || statuses.includes('succeeded')) return [deps.keys.jobs(p, account)];
  return statuses.map((status) => deps.keys.jobsIn(p, account, status));
}

async function nextIds(
  deps: Deps,
  indexes: string[],
  below: string | undefined,
  floor: string,
  count: number,
): Promise<string[]> {
  const max = below ? `(${below}` : '+';
  const pages = await Promise.all(
    indexes.map((key) => deps.redis.zrevrangebylex(key, max, `[${floor}`, 'LIMIT', 0, count)),
  );
  // A job that changes its status between two of these reads stands in both.
  return [...new Set(pages.flat())].sort().reverse().slice(0, count);
}

/** Jobs of several accounts from new to old. Ids sort by time, so indexes of many accounts merge by plain order. */
export async function listJobs(deps: Deps, filter: JobFilter): Promise<JobPage> {
  const indexes = filter.accounts.flatMap((account) => indexesFor(deps, account, filter));
  const floor = lowestIdAt(filter.createdAfterMs ?? 0);
  const jobs: JobRecord[] = [];
  let cursor = filter.cursor;
  let reads = 0;
  while (indexes.length > 0 && reads < READS_MAX) {
    const ids = await nextIds(deps, indexes, cursor, floor, filter.limit);
    if (ids.length === 0) return { jobs };
    reads += ids.length;
    const records = await Promise.all(
      ids.map((id) => (filter.withRows || !rowOfJobId(id) ? readJob(deps, id) : undefined)),
    );
    for (const [i, job] of records.entries()) {
      cursor = ids[i];
      if (!job || !matches(job, filter)) continue;
      jobs.push(job);
      if (jobs.length === filter.limit) return { jobs, nextCursor: cursor };
    }
    if (ids.length < filter.limit) return { jobs };
  }
  return { jobs, ...(indexes.length > 0 && cursor ? { nextCursor: cursor } : {}) };
}

async function readJob(deps: Deps, id: string): Promise<JobRecord | undefined> {
  const p = Number.parseInt(id.slice(-2), 16);
  const hash = await deps.redis.hgetall(deps.keys.job(p, id));
  return hash.status ? decodeJob(id, hash) : undefined;
}

function matches(job: JobRecord, filter: JobFilter): boolean {
  const statuses = statusesOf(filter, job.account);
  if (statuses && !statuses.includes(job.status)) return false;
  return filter.createdAfterMs === undefined || job.createdAtMs > filter.createdAfterMs;
}
