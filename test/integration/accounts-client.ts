import { inject, onTestFinished } from 'vitest';
import { connectRedis } from '../../shared/redis/connect.ts';
import { type Environment, startApi, startWorker, TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { silentLogger, uniquePrefix } from '../support/redis.ts';

export type Reply = {
  status: number;
  headers: Headers;
  text: string;
  // A test reads what it expects; a wrong shape fails its expectation.
  body: Record<string, unknown>;
};

export type Send = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Reply>;

/** Requests as ADMIN_TOKEN unless `headers` say otherwise. Every answer's text is kept in `seen`. */
export function createClient(origin: string, seen: string[] = []): Send {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    seen.push(text, JSON.stringify([...response.headers]));
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith('{') ? JSON.parse(text) : {},
    };
  };
}

export type System = Awaited<ReturnType<typeof aSystem>>;

/** A real API (and a worker, if wanted) on a prefix of its own; ended with the test or `beforeAll`. */
export async function aSystem(options: { worker?: boolean; env?: Environment } = {}) {
  const prefix = uniquePrefix();
  const installation = { redisUrl: inject('redisUrl'), prefix, env: options.env };
  const api = await startApi(installation);
  const worker = options.worker ? await startWorker(installation) : undefined;
  const seen: string[] = [];
  return {
    prefix,
    installation,
    api,
    worker,
    seen,
    send: createClient(api.origin, seen),
    async stop() {
      await Promise.all([api.stop(), worker?.stop()]);
    },
  };
}

/** Every key of an installation with everything in it, as text. */
export async function dumpRedis(prefix: string): Promise<Map<string, string>> {
  const redis = connectRedis(inject('redisUrl'), 'worker', silentLogger);
  onTestFinished(() => redis.disconnect());
  const found = new Map<string, string>();
  let cursor = '0';
  do {
    const reply: unknown = await redis.call('SCAN', cursor, 'MATCH', `${prefix}*`, 'COUNT', '1000');
    const [next, keys] = Array.isArray(reply) ? reply : ['0', []];
    for (const key of keys) {
      const dumped: unknown = await readAny(redis, String(key));
      found.set(String(key), JSON.stringify(dumped ?? null));
    }
    cursor = String(next);
  } while (cursor !== '0');
  return found;
}

async function readAny(redis: ReturnType<typeof connectRedis>, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return undefined;
  }
}
