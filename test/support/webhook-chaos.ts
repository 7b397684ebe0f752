import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../../sandbox/core/start.ts';
import { systemClock } from '../../shared/clock.ts';
import { isSettled } from '../../shared/domain/job.ts';
import { deliveryIdOf } from '../../shared/domain/webhook.ts';
import { createLogger } from '../../shared/logger.ts';
import { createAccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import { connectRedis, waitUntilReady } from '../../shared/redis/connect.ts';
import { createKeys } from '../../shared/redis/keys.ts';
import { agreeOnPartitions } from '../../shared/redis/partitions.ts';
import { createAccountStore } from '../../shared/stores/account-store.ts';
import { createJobStore } from '../../shared/stores/job-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import { createWebhookStore } from '../../shared/stores/webhook-store.ts';
import { startOwnRedis } from './own-redis.ts';
import { type RunningProcess, startWorker } from './processes.ts';
import { until } from './until.ts';

export type ChaosOptions = {
  jobs: number;
  endpoints: number;
  workers: number;
  /** How long processes are killed; then everything may finish. */
  chaosMs: number;
  settleWithinMs: number;
  log?: (line: string) => void;
};

export type ChaosResult = {
  jobs: number;
  events: number;
  endpoints: number;
  /** Distinct ids received and answered 2xx; must be events × endpoints. */
  distinct: number;
  missing: string[];
  unexpected: string[];
  unverified: number;
  requests: number;
  failed_by_receiver: number;
  hung_by_receiver: number;
  /** Answered 2xx more than once. */
  repeats: number;
  worker_kills: number;
  redis_kills: number;
  seconds: number;
};

type Brief = { id: string; verified: boolean; answered: number | string };

/** Receiver failing 30 % and hanging 5 % of the calls, workers and Redis killed with SIGKILL at random. */
export async function runWebhookChaos(options: ChaosOptions): Promise<ChaosResult> {
  const log = options.log ?? (() => {});
  const startedMs = Date.now();
  const silent = createLogger('chaos', 'silent');
  const secret = randomBytes(32);
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startOwnRedis());
  const sandbox = stack.adopt(await startSandbox({ port: 0, host: '127.0.0.1' }), (s) => s.close());
  const redis = stack.adopt(connectRedis(server.url, 'worker', silent), (r) => r.disconnect());
  await waitUntilReady(redis, server.url, 10_000);
  const prefix = 'chaos';
  const keys = createKeys(prefix);
  const partitions = await agreeOnPartitions(redis, keys);
  const base = { redis, keys, partitions, clock: systemClock };
  const box = createSealedBox([{ id: 'chaos', key: secret }]);
  const jobs = createJobStore({
    ...base,
    ...{ retentionMs: 86_400_000, backlogLimit: 100_000, orphanMs: 1_000, replicas: 0 },
  });
  const accounts = createAccountStore({ ...base, box });
  const webhooks = createWebhookStore({ ...base, box });
  const queues = stack.adopt(createAccountQueues({ ...base, logger: silent }), (q) => q.close());

  const endpoints = await Promise.all(
    Array.from({ length: options.endpoints }, async (_, i) => {
      const url = `${sandbox.origin}/receiver/chaos${i}`;
      const made = await webhooks.create({ workspace: 'default', url, events: ['*'], trutoSignature: false });
      await control(sandbox.origin, {
        inbox: `chaos${i}`,
        secrets: [made.secret],
        seed: i + 1,
        rules: [
          { kind: 'status', status: 500, probability: 0.3 },
          { kind: 'hang', probability: 0.05 / 0.7 },
        ],
      });
      return made.endpoint;
    }),
  );
  const account = await accounts.create({
    workspace: 'default',
    provider: 'close',
    name: 'chaos',
    settings: {
      timeout_ms: 1_500,
      reconcile: { settle_ms: 200, probes: 3 },
      rate_limit: { requests: 2_000, per_seconds: 1, concurrency: 50 },
    },
    credentials: { type: 'api_key', api_key: 'demo-close-key', base_url: `${sandbox.origin}/close` },
  });
  if (account === 'exists') throw new Error('a new account has the id of another');

  const env = {
    ENCRYPTION_KEYS: `chaos:${secret.toString('base64')}`,
    LOG_LEVEL: 'warn',
    WEBHOOK_TIMEOUT_MS: '1500',
    WEBHOOK_RETRY_SECONDS: ['0', '0.3', '0.6', ...Array.from({ length: 30 }, () => '1')].join(','),
  };
  const start = () => startWorker({ redisUrl: server.url, prefix, env });
  const workers: RunningProcess[] = await Promise.all(Array.from({ length: options.workers }, start));
  stack.defer(async () => void (await Promise.all(workers.map((worker) => worker.kill()))));

  const ids: string[] = [];
  async function submit(i: number): Promise<void> {
    const id = jobs.newId(account === 'exists' ? '' : account.id);
    ids.push(id);
    if (account === 'exists') return;
    await jobs.accept(id, {
      workspace: 'default',
      account: account.id,
      provider: 'close',
      request: {
        query: { response_format: 'unified' },
        body: { name: `Chaos ${i} ${id}`, account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } },
      },
      appliedDefaults: {},
      warnings: [],
    });
    await queues.add(account.id, id, 1, PRIORITY.interactive);
    await queues.activate(account.id);
  }
  const submitting = (async () => {
    const pauseMs = (options.chaosMs * 0.8) / (options.jobs / 20);
    for (let i = 0; i < options.jobs; i += 20) {
      await Promise.all(Array.from({ length: Math.min(20, options.jobs - i) }, (_, k) => submit(i + k)));
      await sleep(pauseMs);
    }
  })();

  let [workerKills, redisKills] = [0, 0];
  const chaosEndMs = Date.now() + options.chaosMs;
  const restarts: Promise<void>[] = [];
  for (let act = 1; Date.now() < chaosEndMs; act++) {
    await sleep(400 + Math.random() * 1_200);
    if (act % 3 === 0) {
      await server.kill();
      redisKills += 1;
      await sleep(Math.random() * 600);
      await server.start();
      continue;
    }
    const victim = workers.splice(Math.floor(Math.random() * workers.length), 1)[0];
    if (!victim) continue;
    await victim.kill();
    workerKills += 1;
    restarts.push(start().then((worker) => void workers.push(worker)));
  }
  await Promise.all([submitting, ...restarts]);
  log(`chaos over: ${workerKills} workers and ${redisKills} times Redis killed`);

  const patience = { withinMs: options.settleWithinMs, everyMs: 300 };
  const open = new Set(ids);
  const ends: string[] = [];
  await until(
    'every job is settled',
    async () => {
      await Promise.all(
        [...open].map(async (id) => {
          const job = await jobs.find(id);
          if (!job || !isSettled(job.status)) return;
          open.delete(id);
          ends.push(`${id}.${job.sequence}`);
        }),
      );
      return open.size === 0;
    },
    patience,
  );
  log('every job is settled');
  const written = (await scan(redis, `${prefix}:*event:*.*`)).map((key) =>
    key.slice(key.indexOf('event:') + 6),
  );
  // The end of every job, by its own record, and whatever else was written on the way.
  const events = [...new Set([...ends, ...written])];
  const expected = new Set(
    events.flatMap((event) => endpoints.map((endpoint) => deliveryIdOf(event, endpoint.id))),
  );
  const receivedNow = async (): Promise<Brief[]> => {
    const lists = await Promise.all(endpoints.map((_, i) => received(sandbox.origin, `chaos${i}`)));
    return lists.flat();
  };
  const taken = (all: Brief[]) => all.filter(({ answered }) => answered === 200);
  await until(
    'every event arrived',
    async () => new Set(taken(await receivedNow()).map(({ id }) => id)).size >= expected.size,
    patience,
  ).catch(() => log('not every event arrived'));
  // What is still under way may be a repeat.
  await sleep(1_000);
  const all = await receivedNow();
  const distinct = new Set(taken(all).map(({ id }) => id));
  return {
    jobs: options.jobs,
    events: events.length,
    endpoints: endpoints.length,
    distinct: distinct.size,
    missing: [...expected].filter((id) => !distinct.has(id)),
    unexpected: [...distinct].filter((id) => !expected.has(id)),
    unverified: all.filter(({ verified }) => !verified).length,
    requests: all.length,
    failed_by_receiver: all.filter(({ answered }) => answered === 500).length,
    hung_by_receiver: all.filter(({ answered }) => answered === 'hang').length,
    repeats: taken(all).length - distinct.size,
    worker_kills: workerKills,
    redis_kills: redisKills,
    seconds: Math.round((Date.now() - startedMs) / 1_000),
  };
}

async function control(origin: string, body: unknown): Promise<void> {
  await fetch(`${origin}/_control/receiver`, { method: 'POST', body: JSON.stringify(body) });
}

async function received(origin: string, inbox: string): Promise<Brief[]> {
  const response = await fetch(`${origin}/_control/receiver?inbox=${inbox}&brief=true`);
  // The receiver's own shape.
  return ((await response.json()) as { received: Brief[] }).received;
}

async function scan(redis: ReturnType<typeof connectRedis>, pattern: string): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const reply: unknown = await redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000');
    const [next, some] = Array.isArray(reply) ? reply : ['0', []];
    for (const key of some) found.add(String(key));
    cursor = String(next);
  } while (cursor !== '0');
  return [...found];
}
