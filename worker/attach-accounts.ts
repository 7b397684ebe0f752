import type { Logger } from '../shared/logger.ts';
import type { AccountQueues } from '../shared/queues/account-queues.ts';
import type { RedisClient } from '../shared/redis/connect.ts';
import { isDeliveryQueue, type Keys, QUERY_QUEUE } from '../shared/redis/keys.ts';
import { defineScripts } from '../shared/redis/scripts.ts';
import type { Account } from '../shared/stores/account-store.ts';
import { followStatus, isHeld } from '../shared/use-cases/follow-status.ts';
import type { Processor } from './next-step.ts';
import { type RunningQueue, runQueue } from './run-queue.ts';

/** A queue without work for this long is left: its worker costs a connection and a fifth of a megabyte. */
const IDLE_MS = 5_000;
/** With only delayed jobs, a queue is left when the next one is further away than this. */
const LEAVE_FOR_MS = 10_000;
/** It gets its worker back so long before the next one is due; one that is due later than this is found by the sweep. */
const BACK_BEFORE_MS = 200;
const BACK_WITHIN_MS = 3_600_000;
/** An engine that has fetched nothing for so long although there is work is replaced, should one not wake after an outage. */
const STUCK_MS = 15_000;
const QUERY_CONCURRENCY = 16;
/** Calls under way to one webhook endpoint, per process: one that hangs holds these, and nobody else's. */
const DELIVERY_CONCURRENCY = 16;

export type AttachDeps = {
  redis: RedisClient;
  /** Given to BullMQ, which duplicates it for its blocking reads. */
  connection: RedisClient;
  subscriber: RedisClient;
  keys: Keys;
  partitions: number;
  queues: AccountQueues;
  /** As it is now: a copy that is two seconds old would pause a queue that was resumed since. */
  accountOf: (id: string) => Promise<Account | undefined>;
  /** Calls in flight allowed for the account over all processes; more messages than that need not be fetched. */
  concurrencyOf: (account: Account) => number;
  write: Processor;
  answerQuery: Processor;
  deliver: Processor;
  /** The engine gave a message of any queue up. */
  onFailed?: (message: unknown) => void;
  lockMs: number;
  stalledMs: number;
  /** See {@link IDLE_MS}. */
  idleMs?: number;
  /** See {@link LEAVE_FOR_MS}. */
  leaveForMs?: number;
  /** See {@link STUCK_MS}. */
  stuckMs?: number;
  /** Tests put an engine here that hangs. */
  run?: typeof runQueue;
  logger: Logger;
};

type Attached = {
  partition: number;
  name: string;
  queue: RunningQueue;
  lastWorkMs: number;
  /** Messages in hand. */
  underWay: number;
  /** Since when work was seen that nothing keeps from being fetched. */
  readySinceMs?: number;
  bell: boolean;
  timer?: NodeJS.Timeout;
};

/**
 * Gives every queue that has work a worker in this process, and takes it away again. A queue that is left gets another
 * worker with the next bell, also while the old one still closes: two on one queue are harmless, none is not.
 *
 * One file, however long: attached, leaving, away and coming back are states of one machine, and each of its steps has to be read beside
 * those that may run meanwhile.
 */
export class QueueAttacher {
  readonly #deps: AttachDeps;
  readonly #scripts: ReturnType<typeof defineScripts>;
  readonly #attached = new Map<string, Attached>();
  /** Being opened → whether a bell rang meanwhile. */
  readonly #attaching = new Map<string, boolean>();
  /** Queues that were left for a while → their coming back. */
  readonly #comingBack = new Map<string, NodeJS.Timeout>();
  readonly #idleMs: number;
  readonly #stuckMs: number;
  #stopped = false;

  constructor(deps: AttachDeps) {
    this.#deps = deps;
    this.#scripts = defineScripts(deps.redis);
    this.#idleMs = deps.idleMs ?? IDLE_MS;
    this.#stuckMs = deps.stuckMs ?? STUCK_MS;
  }

  get size(): number {
    return this.#attached.size;
  }

  /** Listens for bells. What rang before, or is missed, the sweep of `active` finds. */
  async listen(): Promise<void> {
    const { subscriber, keys } = this.#deps;
    subscriber.on('message', (channel: string, message: string) => {
      if (channel !== keys.bell) return;
      const at = message.indexOf(' ');
      this.attach(Number(message.slice(0, at)), message.slice(at + 1));
    });
    await subscriber.subscribe(keys.bell);
  }

  /** Attaches every queue that is due in `active`. */
  async sweep(): Promise<void> {
    const { redis, keys, partitions } = this.#deps;
    const now = Date.now();
    const due = await Promise.all(
      Array.from({ length: partitions }, (_, p) =>
        redis.zrangebyscore(keys.active(p), '-inf', now, 'LIMIT', 0, 1_000),
      ),
    );
    for (const [partition, names] of due.entries()) {
      for (const name of names) this.attach(partition, name);
    }
  }

  attach(partition: number, name: string): void {
    const id = `${partition} ${name}`;
    const known = this.#attached.get(id);
    if (known) {
      // Also while attached: the script that lets the queue go may have run already, its reply still on the way.
      known.bell = true;
      return;
    }
    if (this.#stopped) return;
    if (this.#attaching.has(id)) {
      this.#attaching.set(id, true);
      return;
    }
    this.#attaching.set(id, false);
    this.#open(partition, name)
      .catch((err) => this.#deps.logger.warn({ err, queue: name }, 'queue.attach_failed'))
      .finally(() => {
        const bell = this.#attaching.get(id) === true;
        this.#attaching.delete(id);
        // It may have rung after the account was found to be held: resuming rings.
        if (bell && !this.#attached.has(id)) this.attach(partition, name);
      });
  }

  async #open(partition: number, name: string): Promise<void> {
    const { keys, logger } = this.#deps;
    const kind = name === QUERY_QUEUE ? 'query' : isDeliveryQueue(name) ? 'delivery' : 'account';
    let concurrency = kind === 'query' ? QUERY_CONCURRENCY : DELIVERY_CONCURRENCY;
    if (kind === 'account') {
      const account = await this.#deps.accountOf(name);
      // A held account needs no worker; its paused queue is left by the script, and resuming rings.
      if (!account || !(await this.#agree(account))) {
        await this.#leave(partition, name);
        return;
      }
      concurrency = this.#deps.concurrencyOf(account);
    }
    if (this.#stopped) return;
    const { answerQuery, deliver, write } = this.#deps;
    const processor = { query: answerQuery, delivery: deliver, account: write }[kind];
    const attached: Attached = {
      partition,
      name,
      lastWorkMs: Date.now(),
      underWay: 0,
      bell: false,
      queue: (this.#deps.run ?? runQueue)({
        name,
        prefix: keys.queuePrefix(partition),
        connection: this.#deps.connection,
        concurrency,
        lockMs: this.#deps.lockMs,
        stalledMs: this.#deps.stalledMs,
        logger,
        processor: (message, signal) => {
          attached.lastWorkMs = Date.now();
          attached.underWay++;
          return processor(message, signal).finally(() => attached.underWay--);
        },
        onFailed: (message) => this.#deps.onFailed?.(message),
        onIdle: () => this.#leaveSoon(attached),
      }),
    };
    const id = `${partition} ${name}`;
    this.#attached.set(id, attached);
    clearTimeout(this.#comingBack.get(id));
    this.#comingBack.delete(id);
    this.#leaveSoon(attached);
    logger.debug({ queue: name }, 'queue.attached');
  }

  /**
   * The account's status is the truth; a crash, or two changes at once, may have left its queue otherwise.
   * @returns whether to run it.
   */
  async #agree(account: Account): Promise<boolean> {
    const { queues, accountOf } = this.#deps;
    if ((await queues.isPaused(account.id)) === isHeld(account.status)) return !isHeld(account.status);
    await followStatus({ store: { get: accountOf }, queues }, account.id);
    const now = await accountOf(account.id);
    return now !== undefined && !isHeld(now.status);
  }

  #leaveSoon(attached: Attached): void {
    if (attached.timer || this.#stopped) return;
    attached.timer = setTimeout(() => {
      attached.timer = undefined;
      if (Date.now() - attached.lastWorkMs < this.#idleMs) {
        this.#leaveSoon(attached);
        return;
      }
      this.#tryToLeave(attached).catch((err) => {
        this.#deps.logger.warn({ err, queue: attached.name }, 'queue.detach_failed');
        this.#leaveSoon(attached);
      });
    }, this.#idleMs).unref();
  }

  async #tryToLeave(attached: Attached): Promise<void> {
    attached.bell = false;
    const { partition, name } = attached;
    const { logger } = this.#deps;
    if (!(await this.#leave(partition, name))) {
      if (!(await this.#isStuck(attached))) {
        this.#leaveSoon(attached);
        return;
      }
      logger.warn({ queue: name, idle_ms: Date.now() - attached.lastWorkMs }, 'queue.stuck');
      attached.bell = true;
    }
    // Not waited for: its end may take a while, and in an outage it comes with Redis.
    void this.#close(attached);
    if (attached.bell) this.attach(partition, name);
  }

  async #isStuck(attached: Attached): Promise<boolean> {
    const { partition, name } = attached;
    if (attached.underWay > 0 || !(await this.#deps.queues.hasReadyWork(partition, name))) {
      attached.readySinceMs = undefined;
      return false;
    }
    // From when work was seen: an engine that had none, or no Redis, for long is about to fetch it.
    attached.readySinceMs ??= Date.now();
    return Date.now() - Math.max(attached.readySinceMs, attached.lastWorkMs) >= this.#stuckMs;
  }

  /** @returns whether the queue needs no worker for now. */
  async #leave(partition: number, name: string): Promise<boolean> {
    const { keys } = this.#deps;
    const queue = `${keys.queuePrefix(partition)}:${name}`;
    const [left, dueMs] = await this.#scripts.dwDeactivate(
      keys.active(partition),
      ...['wait', 'active', 'prioritized', 'delayed', 'paused', 'meta'].map((list) => `${queue}:${list}`),
      keys.jobsIn(partition, name, 'queued'),
      name,
      Date.now(),
      this.#deps.leaveForMs ?? LEAVE_FOR_MS,
    );
    if (left === 2) this.#comeBack(partition, name, Number(dueMs));
    return left !== 0;
  }

  /** The sweep would find it too, up to its period late: an account of a slow pace would lose that with every call. */
  #comeBack(partition: number, name: string, dueMs: number): void {
    const inMs = dueMs - BACK_BEFORE_MS - Date.now();
    if (inMs > BACK_WITHIN_MS) return;
    const id = `${partition} ${name}`;
    clearTimeout(this.#comingBack.get(id));
    const timer = setTimeout(
      () => {
        this.#comingBack.delete(id);
        this.attach(partition, name);
      },
      Math.max(0, inMs),
    ).unref();
    this.#comingBack.set(id, timer);
  }

  /** From here on a bell opens another. */
  async #close({ partition, name, queue, timer }: Attached): Promise<void> {
    clearTimeout(timer);
    this.#attached.delete(`${partition} ${name}`);
    const { logger } = this.#deps;
    try {
      await queue.close();
      logger.debug({ queue: name }, 'queue.detached');
    } catch (err) {
      logger.warn({ err, queue: name }, 'queue.close_failed');
    }
  }

  /** Fetches nothing more and waits for the messages under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#comingBack.values()) clearTimeout(timer);
    this.#comingBack.clear();
    await Promise.all([...this.#attached.values()].map((attached) => this.#close(attached)));
  }
}
