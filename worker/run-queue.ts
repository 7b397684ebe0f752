import { type Job as BullJob, DelayedError, Worker } from 'bullmq';
import type { Logger } from '../shared/logger.ts';
import { PRIORITY } from '../shared/queues/messages.ts';
import type { RedisClient } from '../shared/redis/connect.ts';
import type { NextStep, Processor } from './next-step.ts';

export type RunQueueOptions = {
  name: string;
  prefix: string;
  connection: RedisClient;
  concurrency: number;
  processor: Processor;
  lockMs: number;
  stalledMs: number;
  logger: Logger;
  /** The engine failed a message, and has forgotten it: an exception, or it could not give it back. */
  onFailed: (message: unknown) => void;
  /** Called when the queue has had nothing to do for a moment. */
  onIdle: () => void;
};

/** `close` waits for the messages under way and, while Redis is away, for Redis. */
export type RunningQueue = { close(): Promise<void> };

/** Non-connection errors a second after which a worker rests: OOM, READONLY or NOREPLICAS make its fetch loop spin. */
const ERRORS_PER_SECOND_MAX = 5;
const REST_MS = 2_000;
/** A wait for the pace is shorter than this, one for a limit of the provider longer. */
const LONG_WAIT_MS = 1_000;
const BULK_PAUSE_MS = 25;
const PAUSE_MS_MAX = 60_000;
/** States of a connection that has no socket, or none yet that is open. */
const UNCONNECTED = ['close', 'reconnecting', 'connecting'];

/**
 * Runs one queue. The only place where a processor's wish becomes a BullMQ verb:
 *
 * | wish | verb |
 * |---|---|
 * | done | return: the engine job is removed |
 * | wait | the class of what is given back, `moveToDelayed`, `DelayedError`: spends no attempt and has no loop limit |
 * | wait, whole queue | as above, and `rateLimit` so that nobody fetches in vain |
 *
 * An exception out of a processor is a bug: the engine job fails and is removed, the orphan sweep queues it again.
 */
export function runQueue(options: RunQueueOptions): RunningQueue {
  const { logger } = options;
  const worker = new Worker(
    options.name,
    // Three declared parameters: BullMQ passes the abort signal only to a processor that takes it.
    async (job: BullJob, token: string | undefined, signal: AbortSignal | undefined) => {
      const step = await options.processor(job.data, signal ?? new AbortController().signal);
      if (step.kind === 'wait') await giveBack(worker, job, token, step);
    },
    {
      connection: options.connection,
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: options.lockMs,
      stalledInterval: options.stalledMs,
      // A crash costs a job nothing here: what a second run may do is decided by the record. The engine must never
      // fail a job for having met several.
      maxStalledCount: 1_000_000,
      // Without a limiter `rateLimit` is silently void; this one never limits by itself.
      limiter: { max: 1_000_000_000, duration: 1_000 },
      maximumRateLimitDelay: 1_000,
      drainDelay: 1,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  );

  // Lock lost: another worker may run this message now. The call in flight is aborted, and nothing more is sent.
  worker.on('lockRenewalFailed', (jobIds: string[]) => {
    for (const id of jobIds) worker.cancelJob(id, 'lock lost');
  });
  worker.on('drained', options.onIdle);
  worker.on('failed', (job, err) => {
    logger.error({ err, engine_job: job?.id, queue: options.name }, 'engine.job_failed');
    if (job) options.onFailed(job.data);
  });
  worker.on('error', restOnErrors(worker, options));

  return {
    async close() {
      await untilConnected(worker);
      await worker.close();
    },
  };
}

/**
 * A worker's `close` breaks its blocking connection and waits for the end of it. One that is between two tries to
 * connect has no socket that could end: ioredis drops the next try and says nothing, and the closing would never come
 * to its end, not even with Redis back (taskforcesh/bullmq#4656, redis/ioredis#2169). So it is let connect before.
 */
async function untilConnected(worker: Worker): Promise<void> {
  // Rejects when the connection was ended by someone else; then there is nothing to wait for.
  const client = await worker.getBackend().blockingClient?.catch(() => undefined);
  while (client && UNCONNECTED.includes(client.status)) {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of ['ready', 'end']) client.once(event, resolve);
    await promise;
    for (const event of ['ready', 'end']) client.removeListener(event, resolve);
  }
}

async function giveBack(
  worker: Worker,
  job: BullJob,
  token: string | undefined,
  step: Extract<NextStep, { kind: 'wait' }>,
) {
  const now = Date.now();
  // A delayed job comes back at the end of its class: it must not stand behind every new one of its kind.
  const isBulk = job.priority >= PRIORITY.bulkGivenBack;
  const priority = isBulk ? PRIORITY.bulkGivenBack : PRIORITY.givenBack;
  if (job.priority !== priority) await job.changePriority({ priority });
  const untilMs = Math.max(step.untilMs, now + 1);
  await job.moveToDelayed(untilMs, token);
  if (step.wholeQueue) {
    const waitMs = untilMs - now;
    // Bulk work that only waits for its turn must not keep a single create from being fetched meanwhile.
    const pauseMs = isBulk && waitMs < LONG_WAIT_MS ? BULK_PAUSE_MS : Math.min(waitMs, PAUSE_MS_MAX);
    // Only saves fetching in vain: the message is given back already, whatever becomes of it.
    await worker.rateLimit(pauseMs).catch(() => {});
  }
  throw new DelayedError();
}

/** Errors in a burst pause the worker for a moment; BullMQ itself would try again at once, for ever. */
function restOnErrors(worker: Worker, { logger, name }: RunQueueOptions) {
  let windowStartMs = 0;
  let errors = 0;
  let resting = false;
  return (err: Error) => {
    const now = Date.now();
    if (now - windowStartMs > 1_000) {
      windowStartMs = now;
      errors = 0;
    }
    if (++errors === 1) logger.warn({ err, queue: name }, 'engine.error');
    if (errors < ERRORS_PER_SECOND_MAX || resting || worker.closing) return;
    resting = true;
    worker.pause(true).catch(() => {});
    setTimeout(() => {
      resting = false;
      if (!worker.closing) Promise.resolve(worker.resume()).catch(() => {});
    }, REST_MS).unref();
  };
}
