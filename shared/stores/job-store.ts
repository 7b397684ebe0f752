import type { Clock } from '../clock.ts';
import {
  type Attempt,
  type InFlight,
  JOB_STATUSES,
  type JobRecord,
  type JobStatus,
  statusesBefore,
} from '../domain/job.ts';
import { createPartitionedId, partitionOfId, sha256Hex } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { untilReplicated } from '../redis/replicated.ts';
import { defineScripts, type ScriptReply } from '../redis/scripts.ts';
import { claimPlaces } from './claim-places.ts';
import { decodeJob, encodeNewJob, encodePatch } from './job-codec.ts';
import { type JobFilter, type JobPage, listJobs } from './job-list.ts';
import type {
  AcceptInput,
  AcceptResult,
  JobEvents,
  Move,
  Moved,
  MovedJob,
  Started,
  StartWith,
} from './job-moves.ts';

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

/** Statuses as transition.lua takes them. */
const listed = (statuses: readonly JobStatus[]) => `,${statuses.join(',')},`;
/** From where each status may be reached. */
const BEFORE = Object.fromEntries(JOB_STATUSES.map((to) => [to, listed(statusesBefore(to))])) as Record<
  JobStatus,
  string
>;

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

  async function run(
    found: readonly string[],
    args: readonly string[],
    farewell: Move['farewell'],
  ): Promise<ScriptReply> {
    if (!farewell) return scripts.dwTransition(...found, ...args);
    const { keys: gate, args: leaving } = farewell.part;
    const [ms = 0, circuit = '', ...moved] = await scripts.dwLeaveAndMove(
      ...gate,
      ...found,
      ...leaving,
      ...args,
    );
    farewell.said([1, ms, circuit]);
    return moved;
  }

  async function move(job: MovedJob, wanted: Move): Promise<Moved> {
    const eventKeptMs = await options.events?.keptMs(job, wanted.to);
    const p = partitionOf(job.id);
    const now = clock.nowMs();
    const jobKey = keys.job(p, job.id);
    const { account } = job;
    const claim = wanted.remoteId
      ? claimPlaces(keys, { partition: p, account, remoteId: wanted.remoteId }, { nowMs: now, retentionMs })
      : { own: jobKey, packed: [jobKey, jobKey] as const, fieldHex: '' };
    const found = [
      jobKey,
      claim.own,
      job.idempotencyHash ? keys.idempotency(p, account, job.idempotencyHash) : jobKey,
      keys.open(p),
      keys.active(p),
      keys.jobs(p, account),
      keys.event(p, job.id),
      keys.outbox(p),
      wanted.alike ? keys.alike(p, account, wanted.alike) : jobKey,
      ...claim.packed,
    ];
    const ask = {
      account,
      job: job.id,
      to: wanted.to,
      from: wanted.from ? listed(wanted.from) : BEFORE[wanted.to],
      now,
      keep: retentionMs,
      look: wanted.lookAtMs ?? Math.max(now, wanted.dueAtMs ?? 0) + orphanMs,
      channel: keys.done(job.id),
      attempt: wanted.attempt,
      generation: wanted.generation,
      idle: wanted.onlyIdle,
      again: wanted.newGeneration,
      // The id itself stands in the key: a provider's text may be no text that can be decoded again.
      claim: Boolean(wanted.remoteId),
      claim_field: claim.fieldHex,
      event_ms: eventKeptMs,
    };
    const args = [JSON.stringify(ask), ...(wanted.patch ? encodePatch(wanted.patch) : [])];
    const reply = await run(found, args, wanted.farewell);
    if (reply[0] === 1) {
      if (reply[3] === 1) options.events?.written({ tag: p, id: `${job.id}.${reply[1]}` });
      await untilReplicated(redis, options.replicas);
      return { kind: 'moved', sequence: Number(reply[1]), generation: Number(reply[2]) };
    }
    if (reply[0] === -1) return { kind: 'fenced' };
    if (reply[0] === -2) return { kind: 'claimed', by: String(reply[1]) };
    const status = JOB_STATUSES.find((known) => known === reply[1]);
    return { kind: 'refused', status: status ?? 'missing' };
  }

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

/** A record as it is accepted. */
export function newJobRecord(
  id: string,
  input: AcceptInput,
  idempotencyHash: string | undefined,
  nowMs: number,
): JobRecord {
  return {
    id,
    schemaVersion: 1,
    workspace: input.workspace,
    account: input.account,
    provider: input.provider,
    status: 'queued',
    sequence: 1,
    generation: 1,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    request: input.request,
    appliedDefaults: input.appliedDefaults,
    warnings: input.warnings,
    idempotencyKey: input.idempotency?.key,
    idempotencyHash,
    requestId: input.requestId,
    traceparent: input.traceparent,
    callbackUrl: input.callbackUrl,
    importId: input.importId,
    rowEvents: input.rowEvents,
    attempts: [],
    attemptNumber: 0,
    attemptsSpent: 0,
    limitHits: 0,
    heldBaseMs: 0,
    unknownSends: [],
    probes: 0,
    epoch: 0,
    followUps: {},
    candidates: [],
    corrections: 0,
  };
}
