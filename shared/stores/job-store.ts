import type { Clock } from '../clock.ts';
import type { Attempt, InFlight, JobRecord } from '../domain/job.ts';
import { createPartitionedId, partitionOfId, sha256Hex } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { untilReplicated } from '../redis/replicated.ts';
import { defineScripts } from '../redis/scripts.ts';
import { decodeJob, encodeNewJob } from './job-codec.ts';
import { type JobFilter, type JobPage, listJobs } from './job-list.ts';
import type { AcceptInput, AcceptResult, JobEvents, Started, StartWith } from './job-moves.ts';
import { createMove } from './move-job.ts';
import { newJobRecord } from './new-job.ts';

export type { JobPatch } from './job-codec.ts';
export type { JobFilter, JobPage } from './job-list.ts';
export type {
  AcceptInput,
  AcceptResult,
  JobEvents,
  Move,
  Moved,
  MovedJob,
  Started,
  StartWith,
} from './job-moves.ts';

export type JobStoreOptions = {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  clock: Clock;
  retentionMs: number;
  backlogLimit: number;
  /** How long an open job may be without its engine job. */
  orphanMs: number;
  /** Replicas that must hold a write before it counts; 0 = none. */
  replicas: number;
  /** Without it nobody is told of transitions. */
  events?: JobEvents;
};

export type JobStore = ReturnType<typeof createJobStore>;

/**
 * The job records. Every change goes through a script that checks the present status; a method that writes resolves
 * only once the write is as durable as configured. Redis errors are thrown as they come.
 */
export function createJobStore(options: JobStoreOptions) {
  const { redis, keys, partitions, clock, retentionMs, orphanMs } = options;
  const scripts = defineScripts(redis);

  const partitionOf = (id: string) => partitionOfId(id) ?? 0;

  async function accept(id: string, input: AcceptInput): Promise<AcceptResult> {
    const now = clock.nowMs();
    const p = partitionOf(id);
    const { account, idempotency } = input;
    const idempotencyHash = idempotency && sha256Hex(idempotency.key);
    const job = newJobRecord(id, input, idempotencyHash, now);
    const jobKey = keys.job(p, id);
    const reply = await scripts.dwAccept(
      keys.account(p, account),
      idempotencyHash ? keys.idempotency(p, account, idempotencyHash) : jobKey,
      jobKey,
      keys.jobs(p, account),
      keys.jobsIn(p, account, 'queued'),
      keys.jobsIn(p, account, 'running'),
      keys.jobsIn(p, account, 'waiting'),
      keys.open(p),
      keys.active(p),
      keys.gate(p, account),
      account,
      id,
      now,
      idempotency?.fingerprint ?? '',
      options.backlogLimit,
      now + orphanMs,
      keys.makeWay,
      ...encodeNewJob(job),
    );
    switch (reply[0]) {
      case 1:
        await untilReplicated(redis, options.replicas);
        return { kind: 'accepted', job, bell: reply[1] === 1 };
      case 0:
        await untilReplicated(redis, options.replicas);
        return { kind: 'replayed', jobId: String(reply[1]) };
      case -422:
        return { kind: 'key_reused', jobId: String(reply[1]) };
      case -429:
        return { kind: 'backlog_full', open: Number(reply[1]) };
      default:
        return { kind: 'no_account' };
    }
  }

  async function find(id: string): Promise<JobRecord | undefined> {
    const p = partitionOfId(id);
    if (p === undefined || p >= partitions) return undefined;
    const hash = await redis.hgetall(keys.job(p, id));
    return hash.status ? decodeJob(id, hash) : undefined;
  }

  async function start(
    job: JobRecord,
    inFlight: InFlight,
    attempt: Attempt,
    { gate, heldMs, alike, parentId }: StartWith,
  ): Promise<Started> {
    const p = partitionOf(job.id);
    const jobKey = keys.job(p, job.id);
    const reply = await scripts.dwEnterAndStart(
      ...gate.keys,
      parentId ? keys.unsettled(p, job.account, parentId) : jobKey,
      jobKey,
      keys.jobs(p, job.account),
      alike ? keys.alike(p, job.account, alike) : jobKey,
      ...gate.args,
      job.id,
      job.generation,
      attempt.number,
      clock.nowMs(),
      JSON.stringify(inFlight),
      JSON.stringify(attempt),
      heldMs,
      retentionMs,
    );
    const [decided, code, detail, ...entered] = reply;
    if (decided !== 2) return { kind: 'not_yet', reply };
    if (code === -2) return { kind: 'parent_in_doubt' };
    if (code === -1) return { kind: 'in_flight' };
    if (code === 0) return { kind: 'not_this_one', why: String(detail) };
    await untilReplicated(redis, options.replicas);
    return {
      kind: 'go',
      sequence: Number(detail),
      ...(entered[0] === 1 ? { isProbe: true } : {}),
      entered: [1, 0, ...entered],
    };
  }

  const move = createMove({ ...options, scripts });

  return {
    /** Id of a job to be accepted for `account`; given before the accept so that one that timed out can be named. */
    newId: (account: string) => createPartitionedId(partitionOfAccount(account, partitions), clock.nowMs()),
    accept,
    find,
    start,
    move,

    async findByIdempotencyKey(account: string, key: string): Promise<string | undefined> {
      const p = partitionOfAccount(account, partitions);
      const value = await redis.get(keys.idempotency(p, account, sha256Hex(key)));
      return value?.split(' ')[1];
    },

    /** The engine gave this job up: the orphan sweep is to look soon, whenever it meant to. */
    async lookSoon(id: string): Promise<void> {
      const job = await find(id);
      if (!job) return;
      await redis.zadd(
        keys.open(partitionOf(id)),
        'XX',
        'LT',
        clock.nowMs() + orphanMs,
        `${job.account} ${id}`,
      );
    },

    list: (filter: JobFilter): Promise<JobPage> => listJobs({ redis, keys, partitions }, filter),

    /** Jobs of an account that are not ended: waiting to run, running, and held until later. */
    async counts(account: string): Promise<{ waiting: number; running: number; delayed: number }> {
      const p = partitionOfAccount(account, partitions);
      const [waiting, running, delayed] = await Promise.all(
        (['queued', 'running', 'waiting'] as const).map((status) =>
          redis.zcard(keys.jobsIn(p, account, status)),
        ),
      );
      return { waiting: waiting ?? 0, running: running ?? 0, delayed: delayed ?? 0 };
    },

    /** Gives an open job its next generation; undefined when it is not open or has another one. */
    async requeue(job: JobRecord): Promise<number | undefined> {
      const p = partitionOf(job.id);
      const [code, generation] = await scripts.dwRequeue(
        keys.job(p, job.id),
        keys.open(p),
        job.account,
        job.id,
        job.generation,
        clock.nowMs() + orphanMs,
      );
      return code === 1 ? Number(generation) : undefined;
    },
  };
}
