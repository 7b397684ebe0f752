import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../logger.ts';
import { StartError } from '../start-error.ts';
import { DISCONNECT_MS, EngineConnection } from './blocking-connection.ts';

export type RedisClient = Redis | Cluster;

/**
 * How a connection behaves while Redis is away.
 *
 * - `producer` (API): fails fast, so that a request is answered 503 instead of hanging. `commandTimeout` is what saves
 *   us from a Redis that is frozen rather than gone; a command that timed out may still have run.
 * - `worker`: waits without limit, work goes on when Redis is back. BullMQ has one of its own, which it duplicates for its blocking
 *   reads; see {@link connectEngine}.
 */
export type Profile = 'producer' | 'worker';

type Options = Omit<RedisOptions, 'replyMapping'>;

const PROFILES: Record<Profile, Options> = {
  producer: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1_000,
  },
  worker: { maxRetriesPerRequest: null },
};

/**
 * A connection that owes an answer for so long is given up for a new one. Whoever is at its other end may be gone without
 * a word (a host without power, a forgotten translation): the system itself would go on trying for a quarter of an hour.
 * For the workers it is longer than any blocking read and than most pauses of a Redis that only stands still: what was
 * under way is sent again, and a message of the engine fetched twice that way waits for its lock to expire.
 */
const SILENT_MS: Record<Profile, number> = { producer: 5_000, worker: 60_000 };

/** Reconnect after 50, 100, 200 … at most 2,000 ms. */
const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2_000);

type Address = { host: string; port: number };

function parseAddresses(text: string, fallbackPort: number): Address[] {
  return text.split(',').map((part) => {
    const [host = '127.0.0.1', port] = part.split(':');
    return { host, port: port ? Number(port) : fallbackPort };
  });
}

/**
 * Parses `redis+sentinel://[:password@]h1:p1,h2:p2/masterName` and `redis+cluster://[:password@]h1:p1,h2:p2`.
 * The ordinary URL parser refuses several hosts.
 */
export function parseRedisUrl(
  url: string,
):
  | { kind: 'single'; url: string }
  | { kind: 'sentinel'; sentinels: Address[]; master: string; password?: string }
  | { kind: 'cluster'; nodes: Address[]; password?: string } {
  const m = /^redis\+(sentinel|cluster):\/\/(?:(?:[^:@/]*):([^@/]*)@)?([^/?]+)(?:\/([^?]*))?/.exec(url);
  if (!m) return { kind: 'single', url };
  const password = m[2] ? decodeURIComponent(m[2]) : undefined;
  if (m[1] === 'sentinel') {
    return {
      kind: 'sentinel',
      sentinels: parseAddresses(m[3] ?? '', 26_379),
      master: m[4] || 'mymaster',
      password,
    };
  }
  return { kind: 'cluster', nodes: parseAddresses(m[3] ?? '', 6_379), password };
}

/**
 * Opens a connection; it connects in the background. The caller owns it and must `disconnect()` it.
 * @param silentMs see {@link SILENT_MS}.
 */
export function connectRedis(
  url: string,
  profile: Profile,
  logger: Logger,
  silentMs = SILENT_MS[profile],
): RedisClient {
  return connect(url, profile, logger, silentMs, true);
}

/**
 * The connection for BullMQ beside a worker's own: neither is to stand behind what the other says at once, be it a `WAIT` for replicas or
 * what a thousand accounts ask that are attached together. In a cluster it is without pipelines, since a blocking read must not wait
 * for one. The caller owns it.
 */
export function connectEngine(url: string, logger: Logger): RedisClient {
  return connect(url, 'worker', logger, SILENT_MS.worker, false);
}

function connect(
  url: string,
  profile: Profile,
  logger: Logger,
  silentMs: number,
  isPipelined: boolean,
): RedisClient {
  const target = parseRedisUrl(url);
  const options: Options = {
    ...PROFILES[profile],
    retryStrategy,
    enableReadyCheck: true,
    socketTimeout: silentMs,
  };
  const client =
    target.kind === 'single'
      ? new EngineConnection(target.url, options)
      : target.kind === 'sentinel'
        ? new EngineConnection({
            ...options,
            sentinels: target.sentinels,
            name: target.master,
            password: target.password,
          })
        : new Cluster(target.nodes, {
            redisOptions: { disconnectTimeout: DISCONNECT_MS, ...options, password: target.password },
            enableAutoPipelining: isPipelined,
            enableOfflineQueue: options.enableOfflineQueue,
          });
  let lastLoggedMs = 0;
  client.on('error', (err: Error) => {
    // One line a second at most: a Redis that is away produces hundreds.
    if (Date.now() - lastLoggedMs < 1_000) return;
    lastLoggedMs = Date.now();
    logger.warn({ err, profile }, 'redis.connection_error');
  });
  return client;
}

/** Ends a connection: in order while Redis answers, at once when it is away — `quit` would wait for it to come back. */
export async function closeRedis(client: RedisClient): Promise<void> {
  if (client.status !== 'ready') {
    client.disconnect();
    return;
  }
  const late = setTimeout(() => client.disconnect(), 1_000);
  await client.quit().catch(() => {});
  clearTimeout(late);
}

/**
 * Resolves when `client` has answered once.
 * @throws StartError in one clear sentence when Redis does not answer within `timeoutMs`.
 */
export async function waitUntilReady(client: RedisClient, url: string, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const shown = url.replace(/\/\/[^@/]*@/, '//***@');
  let last: Error | undefined;
  const note = (err: Error) => {
    last = err;
  };
  client.on('error', note);
  const timer = setTimeout(() => {
    // A server that refuses the password does answer.
    const why = last ? `: ${last.message || last.name}` : '';
    reject(new StartError(`Redis does not answer at ${shown} (waited ${timeoutMs} ms)${why}`));
  }, timeoutMs);
  if (client.status === 'ready') resolve();
  else client.once('ready', resolve);
  await promise.finally(() => {
    clearTimeout(timer);
    client.off('error', note);
  });
}
