import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { type RunningProcess, startWorker } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { aName, type Rig, startRig } from './rig.ts';

vi.setConfig({ testTimeout: 60_000 });

let redis: OwnRedis;
let rig: Rig;
let worker: RunningProcess;

beforeAll(async () => {
  redis = await startOwnRedis();
  rig = await startRig(redis.url);
  worker = await rig.workerForAll();
});
afterAll(async () => {
  await worker?.kill();
  await rig?.close();
  await redis?.[Symbol.asyncDispose]();
});

const ask = async (url: string) => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return { status: answer.status, text: await answer.text() };
};

/** The value of a counter whose labels contain all of `labels`. */
function counted(text: string, name: string, labels: Record<string, string>): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  const fits = lines.filter((line) =>
    Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)),
  );
  return fits.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

it('a worker whose Redis stands still says so, and goes on giving its metrics', async () => {
  expect((await ask(`${worker.origin}/readyz`)).status).toBe(200);
  redis.freeze();
  try {
    expect(await ask(`${worker.origin}/readyz`)).toMatchObject({ status: 503 });
    const { status, text } = await ask(`${worker.origin}/metrics`);
    expect(status).toBe(200);
    expect(text).toMatch(/^dealwright_attached_queues\{process="worker"\} \d/m);
  } finally {
    redis.thaw();
  }
  await until('it is ready again', async () => (await ask(`${worker.origin}/readyz`)).status === 200);
});

it('counts creates by the code that their caller was told', async () => {
  const account = await rig.account('close');
  const { text: before } = await ask(`${rig.api.origin}/metrics`);
  redis.freeze();
  const told: string[] = [];
  try {
    for (let i = 0; i < 3; i++) {
      const answer = await rig.create(account, aName('Frozen'));
      expect(answer.status).toBe(503);
      told.push(String(answer.body.code));
    }
  } finally {
    redis.thaw();
  }
  await until('Redis is back', async () => (await rig.create(account, aName('Back'))).status === 202);
  const { text: after } = await ask(`${rig.api.origin}/metrics`);
  const more = (result: string) => {
    const labels = { result, process: 'api' };
    return (
      counted(after, 'dealwright_accepts_total', labels) - counted(before, 'dealwright_accepts_total', labels)
    );
  };
  expect(more('internal_error')).toBe(0);
  expect(more('durability_unavailable') + more('accept_timed_out')).toBeGreaterThanOrEqual(told.length);
});

it('a worker’s lines about a job name the request that made it, and its trace', async () => {
  const account = await rig.account('close');
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { body, headers } = await rig.create(account, aName('Traced'), null, rig.api, { traceparent });
  await rig.ended(String(body.id));
  const request_id = headers.get('x-request-id');
  const lines = worker.records('job.succeeded').filter(({ job_id }) => job_id === body.id);
  expect(lines).toEqual([expect.objectContaining({ request_id, traceparent })]);
});

it('says when Redis is full, refuses creates, and takes them again when there is room', async () => {
  const account = await rig.account('close');
  const own = redis.connect();
  try {
    const used = Number(/^used_memory:(\d+)/m.exec(await own.info('memory'))?.[1]);
    await own.config('SET', 'maxmemory', String(Math.round(used * 1.1)));
    const full = await until('it is full', async () => {
      const { status, text } = await ask(`${rig.api.origin}/readyz`);
      return text.includes('"memory":"full"') ? { status } : undefined;
    });
    expect(full.status).toBe(200);
    const refused = await rig.create(account, aName('Full'));
    expect(refused).toMatchObject({ status: 503, body: { code: 'durability_unavailable' } });
    expect(rig.api.records('redis.full')).toHaveLength(1);
  } finally {
    await own.config('SET', 'maxmemory', '0');
    own.disconnect();
  }
  await until('there is room', async () => (await rig.create(account, aName('Room'))).status === 202);
  expect(rig.api.records('redis.room')).toHaveLength(1);
});

it('accepts nothing while Redis no longer keeps what it acknowledges', async () => {
  const account = await rig.account('close');
  const own = redis.connect();
  try {
    await own.config('SET', 'appendfsync', 'everysec');
    const refused = await until('it is refused', async () => {
      const answer = await rig.create(account, aName('Weak'));
      return answer.status === 503 ? answer : undefined;
    });
    expect(refused.body).toMatchObject({ code: 'durability_unavailable', retryable: true });
    expect(refused.body.message).toContain('appendfsync is everysec but must be always');
    expect((await ask(`${rig.api.origin}/readyz`)).status).toBe(503);
    expect(rig.api.records('redis.not_durable')).toHaveLength(1);
  } finally {
    await own.config('SET', 'appendfsync', 'always');
    own.disconnect();
  }
  await until('it is taken', async () => (await rig.create(account, aName('Strong'))).status === 202);
});

it('a worker that cannot have its port says which variable names it', async () => {
  const taken = new URL(worker.origin).port;
  await expect(
    startWorker({ redisUrl: redis.url, prefix: rig.prefix, env: { WORKER_HEALTH_PORT: taken } }),
  ).rejects.toThrow(/set WORKER_HEALTH_PORT to a free one/);
});
