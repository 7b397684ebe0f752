import { Queue } from 'bullmq';
import type { Logger } from '../logger.ts';
import type { RedisClient } from '../redis/connect.ts';
import { deliveryQueueOf, type Keys, QUERY_QUEUE } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import {
  type DeliverMessage,
  type ImportMessage,
  PRIORITY,
  type Priority,
  type QueryMessage,
  type WriteMessage,
} from './messages.ts';

/** Queue objects kept at hand; one costs 37 kB, and an API process may serve many thousands of accounts. */
const QUEUES_KEPT = 500;

/** Name of the engine job of a record's generation. A generation is never reused: the engine ignores an id it knows. */
export function engineJobId(jobId: string, generation: number): string {
  return `${jobId}.${generation}`;
}

export type AccountQueues = ReturnType<typeof createAccountQueues>;

/**
 * The engine's side of an account: a queue of its own, so that it can be paused, drained and paced alone.
 * Every method resolves when Redis has it; connection errors are thrown.
 */
export function createAccountQueues(options: {
  redis: RedisClient;
  /**
   * For what the engine does; by default `redis`, and then what is sent on it before leaves before. The engine defines some
   * sixty scripts on its connection, and where commands are pipelined by themselves ioredis goes through all of them for
   * every pipeline: a command that goes alone takes twice the time.
   */
  connection?: RedisClient;
  keys: Keys;
  partitions: number;
  logger: Logger;
}) {
  const { redis, connection = redis, keys, partitions, logger } = options;
  const kept = new Map<string, Queue>();

  function openQueue(partition: number, name: string): Queue {
    const queue = new Queue(name, {
      connection,
      prefix: keys.queuePrefix(partition),
      // The event stream is not read by anyone here; a short one keeps a queue at a few kB.
      streams: { events: { maxLen: 100 } },
      skipWaitingForReady: true,
      // A queue asks for the version once, and is of no use for ever after when that fails or gets no answer because Redis
      // goes away. Nothing here depends on the version.
      skipVersionCheck: true,
    });
    queue.on('error', (err) => logger.debug({ err, queue: name }, 'queue.error'));
    return queue;
  }

  // The first queue on a connection defines the engine's scripts there. Had it its first command in the same moment, that
  // could join a pipeline which was begun before and does not know them, and ioredis would throw where nobody can catch.
  openQueue(0, 'scripts')
    .close()
    .catch(() => {});

  function queueOf(partition: number, name: string): Queue {
    const id = `${partition} ${name}`;
    const known = kept.get(id);
    if (known) {
      kept.delete(id);
      kept.set(id, known);
      return known;
    }
    const queue = openQueue(partition, name);
    kept.set(id, queue);
    const [oldest] = kept.keys();
    if (kept.size > QUEUES_KEPT && oldest) {
      kept
        .get(oldest)
        ?.close()
        .catch(() => {});
      kept.delete(oldest);
    }
    return queue;
  }

  const accountQueue = (account: string) => queueOf(partitionOfAccount(account, partitions), account);

  return {
    /** Queues a record's generation; adding it twice does nothing. */
    async add(account: string, jobId: string, generation: number, priority: Priority): Promise<void> {
      const message: WriteMessage = { v: 1, job: jobId, generation };
      await accountQueue(account).add('write', message, {
        jobId: engineJobId(jobId, generation),
        priority,
        // What became of it is in the record; an engine job lives only while there is work to do.
        removeOnComplete: true,
        removeOnFail: true,
      });
    },

    /** Queues the feeder of an import; adding a generation twice does nothing. */
    async addImport(account: string, importId: string, generation: number): Promise<void> {
      const message: ImportMessage = { v: 1, import: importId, generation };
      await accountQueue(account).add('import', message, {
        jobId: engineJobId(importId, generation),
        priority: PRIORITY.bulk,
        removeOnComplete: true,
        removeOnFail: true,
      });
    },

    async addQuery(message: QueryMessage): Promise<void> {
      const p = partitionOfAccount(message.account, partitions);
      await queueOf(p, QUERY_QUEUE).add('query', message, {
        jobId: message.id,
        removeOnComplete: true,
        removeOnFail: true,
      });
      await redis.zadd(keys.active(p), 'LT', 'CH', Date.now(), QUERY_QUEUE);
      await redis.publish(keys.bell, `${p} ${QUERY_QUEUE}`);
    },

    /** Queues a delivery's round, to be sent after `delayMs`; adding it twice does nothing. */
    async addDelivery(endpoint: string, delivery: string, round: number, delayMs: number): Promise<void> {
      const message: DeliverMessage = { v: 1, delivery, round };
      await queueOf(partitionOfAccount(endpoint, partitions), deliveryQueueOf(endpoint)).add(
        'deliver',
        message,
        {
          jobId: engineJobId(delivery, round),
          priority: PRIORITY.interactive,
          delay: Math.max(0, delayMs),
          removeOnComplete: true,
          removeOnFail: true,
        },
      );
    },

    /** Whether the engine still has a job for this round of a delivery. */
    async hasDelivery(endpoint: string, delivery: string, round: number): Promise<boolean> {
      const prefix = keys.queuePrefix(partitionOfAccount(endpoint, partitions));
      const key = `${prefix}:${deliveryQueueOf(endpoint)}:${engineJobId(delivery, round)}`;
      return (await redis.exists(key)) === 1;
    },

    async ringDelivery(endpoint: string): Promise<void> {
      const p = partitionOfAccount(endpoint, partitions);
      await redis.publish(keys.bell, `${p} ${deliveryQueueOf(endpoint)}`);
    },

    /** Removes the queue of an endpoint with everything in it. */
    async obliterateDeliveries(endpoint: string): Promise<void> {
      const p = partitionOfAccount(endpoint, partitions);
      const name = deliveryQueueOf(endpoint);
      await queueOf(p, name).obliterate({ force: true });
      await redis.zrem(keys.active(p), name);
      kept.delete(`${p} ${name}`);
    },

    /** Takes a not yet started engine job out; one under way stays. */
    async remove(account: string, jobId: string, generation: number): Promise<void> {
      await accountQueue(account)
        .remove(engineJobId(jobId, generation))
        .catch(() => 0);
    },

    /** Whether the engine still has a job for this generation. */
    async has(account: string, jobId: string, generation: number): Promise<boolean> {
      const p = partitionOfAccount(account, partitions);
      return (
        (await redis.exists(`${keys.queuePrefix(p)}:${account}:${engineJobId(jobId, generation)}`)) === 1
      );
    },

    /** Tells the workers that a queue needs one. A bell nobody hears is made good by the sweep of `active`. */
    async ring(account: string): Promise<void> {
      await redis.publish(keys.bell, `${partitionOfAccount(account, partitions)} ${account}`);
    },

    /** Marks the queue as needing a worker now, and rings. */
    async activate(account: string): Promise<void> {
      const p = partitionOfAccount(account, partitions);
      await redis.zadd(keys.active(p), 'LT', 'CH', Date.now(), account);
      await redis.publish(keys.bell, `${p} ${account}`);
    },

    pause: (account: string): Promise<void> => accountQueue(account).pause(),
    resume: (account: string): Promise<void> => accountQueue(account).resume(),

    /** As a Queue object says it; one of its own, made and closed for every account that is attached, costs half a millisecond. */
    async isPaused(account: string): Promise<boolean> {
      const prefix = keys.queuePrefix(partitionOfAccount(account, partitions));
      return (await redis.hexists(`${prefix}:${account}:meta`, 'paused')) === 1;
    },

    /** Whether a worker that is attached ought to be fetching: there is work, and neither a pause nor a limit holds it. */
    async hasReadyWork(partition: number, name: string): Promise<boolean> {
      const queue = queueOf(partition, name);
      const [counts, isPaused, limitedMs] = await Promise.all([
        queue.getJobCounts('wait', 'prioritized'),
        queue.isPaused(),
        queue.getRateLimitTtl(),
      ]);
      return !isPaused && limitedMs <= 0 && Object.values(counts).some((count) => count > 0);
    },

    /** Stops workers from fetching in vain; the gate stays the truth. */
    async holdBack(account: string, ms: number): Promise<void> {
      await accountQueue(account).rateLimit(ms);
    },

    /** Removes the queue with everything in it. */
    async obliterate(account: string): Promise<void> {
      await accountQueue(account).obliterate({ force: true });
      kept.delete(`${partitionOfAccount(account, partitions)} ${account}`);
    },

    async close(): Promise<void> {
      await Promise.all([...kept.values()].map((queue) => queue.close().catch(() => {})));
      kept.clear();
    },
  };
}
