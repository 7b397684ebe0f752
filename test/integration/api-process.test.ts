import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../local/embedded-redis.ts';
import { connectRedis } from '../../shared/redis/connect.ts';
import { type Installation, startApi, TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { connectTestRedis, silentLogger, testRedisUrl, uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { MINIMUM } from './api-support.ts';

const headers = { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, 'content-type': 'application/json' };

async function post(url: string, body: unknown, more: Record<string, string> = {}) {
  const startedMs = Date.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, ...more },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts
    body: (await response.json()) as any,
    tookMs: Date.now() - startedMs,
  };
}

async function connectClose(origin: string): Promise<string> {
  const credentials = { type: 'api_key', api_key: 'x', base_url: 'http://127.0.0.1:9' };
  const { body } = await post(`${origin}/integrated-accounts`, { provider: 'close', name: 'a', credentials });
  return `${origin}/unified/crm/opportunities?integrated_account_id=${body.id}`;
}

/** A Redis of the test's own, which it may freeze or kill. */
async function ownRedis(): Promise<EmbeddedRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'dealwright-own-redis-'));
  const redis = await startEmbeddedRedis(dir, process.env.PATH ?? '');
  onTestFinished(async () => {
    signal(redis, 'SIGCONT');
    await redis.close();
    await rm(dir, { recursive: true, force: true });
  });
  return redis;
}

function signal(redis: EmbeddedRedis, name: NodeJS.Signals): void {
  try {
    process.kill(-redis.child.pid, name);
  } catch {
    // It is gone already.
  }
}

/** Runs `api/main.ts` until it ends by itself. */
function runApi(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['api/main.ts'], { env: { PATH: process.env.PATH, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, output })));
}

const ENV = {
  ADMIN_TOKEN: TEST_ADMIN_TOKEN,
  ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
  LOG_LEVEL: 'fatal',
};

describe('the API process', { timeout: 60_000 }, () => {
  it('says in one message everything that is wrong with its configuration', async () => {
    const { code, output } = await runApi({ PORT: 'x' });
    expect(code).toBe(1);
    for (const name of ['PORT', 'REDIS_URL', 'ADMIN_TOKEN', 'ENCRYPTION_KEYS'])
      expect(output).toContain(name);
    expect(output).not.toContain('    at ');
  });

  it('says so when its port is taken', async () => {
    const installation: Installation = { redisUrl: testRedisUrl(), prefix: uniquePrefix() };
    await using api = await startApi(installation);
    const port = new URL(api.origin).port;
    const { code, output } = await runApi({
      ...ENV,
      REDIS_URL: testRedisUrl(),
      REDIS_PREFIX: installation.prefix,
      PORT: port,
    });
    expect(code).toBe(1);
    expect(output.trim()).toBe(
      `Port ${port} on 127.0.0.1 is taken by another program; set PORT to a free one.`,
    );
  });

  it('answers whoever waits with 202 before it stops', async () => {
    const prefix = uniquePrefix();
    await using api = await startApi({ redisUrl: testRedisUrl(), prefix });
    const url = await connectClose(api.origin);
    const redis = await connectTestRedis();
    const pending = post(url, MINIMUM.close, { prefer: 'wait=60' });
    await until('somebody waits', async () => {
      const channels = await redis.call('PUBSUB', 'CHANNELS', `${prefix}:done:*`);
      return Array.isArray(channels) && channels.length > 0;
    });
    const stopped = api.stop();
    expect((await pending).status).toBe(202);
    expect((await stopped).code).toBe(0);
  });
});

describe('a Redis that is not what was promised', { timeout: 60_000 }, () => {
  it('is refused at start when it does not keep what it acknowledges', async () => {
    const redis = await ownRedis();
    const client = connectRedis(redis.url, 'worker', silentLogger);
    onTestFinished(() => client.disconnect());
    await client.call('CONFIG', 'SET', 'appendfsync', 'everysec');
    const strict = await runApi({ ...ENV, REDIS_URL: redis.url, PORT: '0' });
    expect(strict.code).toBe(1);
    expect(strict.output).toContain('appendfsync is everysec but must be always');
    expect(strict.output.trim().split('\n')).toHaveLength(1);
    await using relaxed = await startApi({
      redisUrl: redis.url,
      prefix: 'x',
      env: { DURABILITY: 'relaxed' },
    });
    const ready = await (await fetch(`${relaxed.origin}/readyz`)).json();
    expect(ready).toMatchObject({ status: 'ready', durability: { demanded: 'relaxed', found: 'weaker' } });
  });

  it('costs a 503 within seconds while it is frozen, and the same key is safe afterwards', async () => {
    const redis = await ownRedis();
    await using api = await startApi({ redisUrl: redis.url, prefix: 'x' });
    const url = await connectClose(api.origin);
    expect((await post(url, MINIMUM.close)).status).toBe(202);
    signal(redis, 'SIGSTOP');
    const frozen = await post(url, MINIMUM.close, { 'idempotency-key': 'k' });
    expect(frozen.status).toBe(503);
    // One command time-out, after one that was under way.
    expect(frozen.tookMs).toBeLessThan(4_000);
    expect(Number(frozen.headers.get('retry-after'))).toBeGreaterThan(0);
    if (frozen.body.code === 'accept_timed_out') expect(frozen.body.job_id).toMatch(/^[0-9a-f-]{36}$/);
    const ready = await fetch(`${api.origin}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ redis: 'unavailable' });
    expect((await fetch(`${api.origin}/healthz`)).status).toBe(200);
    signal(redis, 'SIGCONT');
    const again = await until('Redis is back', async () => {
      const reply = await post(url, MINIMUM.close, { 'idempotency-key': 'k' });
      return reply.status === 202 ? reply : undefined;
    });
    if (frozen.body.job_id && again.headers.get('idempotency-replayed'))
      expect(again.body.id).toBe(frozen.body.job_id);
  });

  it('costs a 503 within seconds while it is gone', async () => {
    const redis = await ownRedis();
    await using api = await startApi({ redisUrl: redis.url, prefix: 'x' });
    const url = await connectClose(api.origin);
    await redis.child.kill();
    const gone = await post(url, MINIMUM.close);
    expect([gone.status, gone.body.retryable]).toEqual([503, true]);
    expect(gone.tookMs).toBeLessThan(4_000);
  });
});
