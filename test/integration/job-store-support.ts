import { randomUUID } from 'node:crypto';
import type { JobRecord, JobStatus } from '../../shared/domain/job.ts';
import type { JobPatch } from '../../shared/stores/job-codec.ts';
import { type AcceptInput, type AcceptResult, createJobStore } from '../../shared/stores/job-store.ts';
import { anOpenGate } from '../support/open-gate.ts';
import { aTestRedis } from '../support/redis.ts';

export const RETENTION_MS = 100_000;
const PARTITIONS = 4;

export type StoreUnderTest = Awaited<ReturnType<typeof aJobStore>>;

/** A job store with a clock that stands still until it is moved, and one account. */
export async function aJobStore(options: { backlogLimit?: number } = {}) {
  const { redis, keys } = await aTestRedis();
  const clock = { now: Date.now(), nowMs: () => clock.now };
  const jobs = createJobStore({
    redis,
    keys,
    partitions: PARTITIONS,
    clock,
    retentionMs: RETENTION_MS,
    backlogLimit: options.backlogLimit ?? 1_000,
    orphanMs: 1_000,
    replicas: 0,
  });

  async function anAccount(status = 'active'): Promise<string> {
    const account = randomUUID();
    await redis.hset(keys.account(partitionOf(account), account), 'status', status);
    return account;
  }
  const partitionOf = (account: string) => Number.parseInt(jobs.newId(account).slice(-2), 16);

  function accept(account: string, more: Partial<AcceptInput> = {}, id = jobs.newId(account)) {
    return jobs.accept(id, {
      workspace: 'default',
      account,
      provider: 'close',
      request: { query: { response_format: 'unified' }, body: { name: 'Annual License' } },
      appliedDefaults: {},
      warnings: [],
      ...more,
    });
  }

  async function aJob(account: string, more: Partial<AcceptInput> = {}): Promise<JobRecord> {
    const accepted: AcceptResult = await accept(account, more);
    if (accepted.kind !== 'accepted') throw new Error(`not accepted: ${accepted.kind}`);
    return find(accepted.job.id);
  }

  async function find(id: string): Promise<JobRecord> {
    const found = await jobs.find(id);
    if (!found) throw new Error(`there is no job ${id}`);
    return found;
  }

  /** Begins the next attempt of a job as it is now. */
  async function start(job: JobRecord) {
    const number = job.attemptNumber + 1;
    const intent = {
      attempt: number,
      token: number,
      startedAtMs: clock.now,
      sendBeforeMs: clock.now + 10_000,
      sentAtProviderMs: clock.now,
      timeoutMs: 1_000,
    };
    const gate = anOpenGate({ redis, keys, partitions: PARTITIONS }, job.account);
    return jobs.start(job, intent, { number, startedAtMs: clock.now }, { gate, heldMs: 0 });
  }

  const move = (job: JobRecord, to: JobStatus, patch: JobPatch = {}) => jobs.move(job, { to, patch });

  /** Takes a fresh job to `status` by the shortest allowed way. */
  async function aJobIn(account: string, status: JobStatus, more: Partial<AcceptInput> = {}) {
    const job = await aJob(account, more);
    for (const to of WAYS[status]) {
      const moved = await move(job, to, {});
      if (moved.kind !== 'moved') throw new Error(`${to}: ${JSON.stringify(moved)}`);
    }
    return find(job.id);
  }

  return { redis, keys, clock, jobs, anAccount, accept, aJob, aJobIn, find, start, move, partitionOf };
}

const WAYS: Record<JobStatus, JobStatus[]> = {
  queued: [],
  running: ['running'],
  waiting: ['waiting'],
  succeeded: ['running', 'succeeded'],
  failed: ['failed'],
  cancelled: ['cancelled'],
  needs_review: ['running', 'needs_review'],
};
