import type { JobRecord } from '../shared/domain/job.ts';

/** The part of a Redis connection in subscriber mode that waiting needs. */
export type Subscriber = {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: 'message', listener: (channel: string) => void): unknown;
  on(event: 'ready', listener: () => void): unknown;
  off(event: 'message', listener: (channel: string) => void): unknown;
  off(event: 'ready', listener: () => void): unknown;
};

export type JobWaiter = ReturnType<typeof createJobWaiter>;

export type JobWait = {
  timeoutMs: number;
  /** Whether this state is what the caller waits for. */
  isOver: (job: JobRecord) => boolean;
  /** The caller is gone. */
  signal?: AbortSignal;
};

type Channel = { count: number; wake: Set<() => void>; ready: Promise<unknown> };

/**
 * Waiting for jobs without polling: one shared connection subscribes to the channel of each job somebody waits for,
 * a message wakes the waiters, and they read the record again: the message carries no truth.
 */
export function createJobWaiter(deps: {
  subscriber: Subscriber;
  channelOf: (jobId: string) => string;
  find: (jobId: string) => Promise<JobRecord | undefined>;
}) {
  const { subscriber } = deps;
  const channels = new Map<string, Channel>();
  const closing = new AbortController();

  const onMessage = (name: string) => wakeAll(channels.get(name));
  // Messages sent while the connection was away are lost: everybody looks again.
  const onReady = () => {
    for (const channel of channels.values()) wakeAll(channel);
  };
  subscriber.on('message', onMessage);
  subscriber.on('ready', onReady);

  function enter(name: string): Channel {
    const known = channels.get(name);
    if (known) {
      known.count += 1;
      return known;
    }
    const ready = subscriber.subscribe(name);
    const channel: Channel = { count: 1, wake: new Set(), ready };
    channels.set(name, channel);
    return channel;
  }

  function leave(name: string, channel: Channel): void {
    channel.count -= 1;
    if (channel.count > 0) return;
    channels.delete(name);
    subscriber.unsubscribe(name).catch(() => {});
  }

  /** Resolves with the record once it is over, and with its last known state when the time is up or we are closing. */
  async function wait(job: JobRecord, { timeoutMs, isOver, signal }: JobWait): Promise<JobRecord> {
    if (isOver(job) || timeoutMs <= 0) return job;
    const name = deps.channelOf(job.id);
    const channel = enter(name);
    const ended = AbortSignal.any([
      AbortSignal.timeout(timeoutMs),
      closing.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    try {
      // A subscription that hangs (Redis is away) must not outlast the wait.
      await Promise.race([channel.ready, aborted(ended)]);
      return await readUntilOver(deps.find, job, channel, isOver, ended);
    } finally {
      leave(name, channel);
    }
  }

  return {
    wait,
    /** Number of jobs somebody waits for. */
    size: () => channels.size,
    /** Lets every waiter go with what it has; the subscriber stays open. */
    close(): void {
      closing.abort();
      subscriber.off('message', onMessage);
      subscriber.off('ready', onReady);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}

function wakeAll(channel: Channel | undefined): void {
  for (const wake of channel?.wake ?? []) wake();
}

async function readUntilOver(
  find: (id: string) => Promise<JobRecord | undefined>,
  first: JobRecord,
  channel: Channel,
  isOver: (job: JobRecord) => boolean,
  ended: AbortSignal,
): Promise<JobRecord> {
  let job = first;
  for (;;) {
    const woken = Promise.withResolvers<void>();
    // Set before reading: a change between the read and the wait is not missed.
    channel.wake.add(woken.resolve);
    ended.addEventListener('abort', () => woken.resolve(), { once: true });
    try {
      job = (await find(job.id)) ?? job;
      if (isOver(job) || ended.aborted) return job;
      await woken.promise;
    } finally {
      channel.wake.delete(woken.resolve);
    }
  }
}
