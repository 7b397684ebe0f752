import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createKeys, type Keys } from '../shared/redis/keys.ts';
import { DEFAULT_PARTITIONS, partitionOfAccount } from '../shared/redis/partitions.ts';
import { opportunityBody } from './support/bodies.ts';
import { createApiClient } from './support/client.ts';
import { type Bench, compareRounds, type Figures, median, round } from './support/figures.ts';
import {
  type BenchRedis,
  installationEnv,
  type Measured,
  startBenchApi,
  startBenchRedis,
  startBenchSandbox,
  startBenchWorker,
  startMeasured,
} from './support/processes.ts';

const CONCURRENCY = 100;
const AUTHORIZATION = `Basic ${Buffer.from('demo-close-key-bench:').toString('base64')}`;

type Round = { perSecond: number; workerUs: number; redisUs: number };
type Ids = { leads: string[]; owner: string };
/** Seeds of the sandbox. */
const IDS: Ids = { leads: ['lead_Northwind', 'lead_Contoso', 'lead_Fabrikam'], owner: 'user_Ann' };

/**
 * Writes of one account at full speed, no limit but the machine: ours against a bare BullMQ worker that posts the same
 * bodies to the same sandbox, and against one that maps and records as ours does but keeps no promise: what lies between
 * the two is what the write protocol costs. Rounds alternate, so that a noisy machine is noisy for all.
 */
export const drain: Bench = async ({ quick }) => {
  const count = quick ? 2_000 : 8_000;
  await using redis = await startBenchRedis();
  await using sandbox = await startBenchSandbox();
  const ours: Round[] = [];
  const floors: Round[] = [];
  const unprotected: Round[] = [];
  await reset(sandbox);
  for (let i = 0; i < (quick ? 1 : 5); i++) {
    floors.push(await drainQueue(redis, sandbox, FLOOR, count, `floor${i}`));
    await reset(sandbox);
    ours.push(await drainOurs(redis, sandbox, IDS, count, `ours${i}`));
    await reset(sandbox);
    unprotected.push(await drainQueue(redis, sandbox, UNPROTECTED, count, `unprotected${i}`));
    await reset(sandbox);
  }
  const per = (rounds: Round[], key: keyof Round) => round(median(rounds.map((r) => r[key])), 1);
  const rates = (rounds: Round[]) => rounds.map((r) => r.perSecond);
  return {
    writes: count,
    ours_per_second: per(ours, 'perSecond'),
    floor_per_second: per(floors, 'perSecond'),
    ...compareRounds(rates(ours), rates(floors), 0.55),
    cpu_us_per_write: {
      worker: per(ours, 'workerUs'),
      floor: per(floors, 'workerUs'),
      redis: per(ours, 'redisUs'),
      redis_floor: per(floors, 'redisUs'),
    },
    cpu_us_per_write_above_floor: {
      worker: round(per(ours, 'workerUs') - per(floors, 'workerUs'), 1),
      redis: round(per(ours, 'redisUs') - per(floors, 'redisUs'), 1),
    },
    protocol: {
      without_per_second: per(unprotected, 'perSecond'),
      with_over_without: round(median(rates(ours)) / median(rates(unprotected))),
      costs_cpu_us_per_write: {
        worker: round(per(ours, 'workerUs') - per(unprotected, 'workerUs'), 1),
        redis: round(per(ours, 'redisUs') - per(unprotected, 'redisUs'), 1),
      },
    },
  } satisfies Figures;
};

async function reset(sandbox: Measured): Promise<void> {
  // Calls and records of the round before must not make the next one slower.
  const post = (path: string, body: unknown) =>
    fetch(sandbox.origin + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await post('/_control/reset', { provider: 'close' });
  // No limit but the machine, and headers that say so.
  await post('/_control/limits', { provider: 'close', ratelimit_header: 'absent' });
}

async function measure(
  redis: BenchRedis,
  worker: Measured,
  count: number,
  go: () => Promise<void>,
  left: () => Promise<number>,
): Promise<Round> {
  const [workerBefore, redisBefore, startedMs] = [worker.cpuMs(), redis.cpuMs(), performance.now()];
  await go();
  while ((await left()) > 0) await sleep(50);
  const seconds = (performance.now() - startedMs) / 1_000;
  return {
    perSecond: count / seconds,
    workerUs: ((worker.cpuMs() - workerBefore) * 1_000) / count,
    redisUs: ((redis.cpuMs() - redisBefore) * 1_000) / count,
  };
}

type Contender = {
  queue: string;
  script: string;
  path: string;
  bodyOf: (i: number) => Record<string, unknown>;
};

const FLOOR: Contender = {
  queue: 'floor',
  script: 'bench/floors/drain-floor.ts',
  path: '/close/api/v1/opportunity/',
  bodyOf: (i) => closeBody(i, IDS),
};
const UNPROTECTED: Contender = {
  queue: 'unprotected',
  script: 'bench/floors/unprotected-worker.ts',
  path: '/close',
  bodyOf: (i) => opportunityBody(i, IDS),
};

/** A worker of plain BullMQ and a queue that is full before it starts. */
async function drainQueue(
  redis: BenchRedis,
  sandbox: Measured,
  { queue: name, script, path, bodyOf }: Contender,
  count: number,
  prefix: string,
): Promise<Round> {
  const connection = new Redis(redis.url);
  const queue = new Queue(name, { connection, prefix });
  await queue.pause();
  for (let i = 0; i < count; i += 500) {
    const size = Math.min(500, count - i);
    await queue.addBulk(Array.from({ length: size }, (_, k) => ({ name: 'write', data: bodyOf(i + k) })));
  }
  await using worker = await startMeasured(script, 'PORT', '/', {
    REDIS_URL: redis.url,
    REDIS_PREFIX: prefix,
    TARGET_URL: sandbox.origin + path,
    AUTHORIZATION,
    CONCURRENCY: String(CONCURRENCY),
  });
  const left = async () => {
    const counts = await queue.getJobCounts('wait', 'active', 'prioritized');
    return Object.values(counts).reduce((sum, n) => sum + n, 0);
  };
  const drained = await measure(redis, worker, count, () => queue.resume(), left);
  await queue.obliterate({ force: true });
  await queue.close();
  connection.disconnect();
  return drained;
}

/** What Close needs for the same deal. */
function closeBody(i: number, ids: Ids): Record<string, unknown> {
  const body = opportunityBody(i, ids);
  return {
    lead_id: ids.leads[0],
    user_id: ids.owner,
    value: Math.round(Number(body.amount) * 100),
    date_won: '2027-03-31',
    note: `${body.name}\n\n${body.description}`,
    confidence: 60,
    value_period: 'one_time',
  };
}

async function drainOurs(
  redis: BenchRedis,
  sandbox: Measured,
  ids: Ids,
  count: number,
  prefix: string,
): Promise<Round> {
  const env = installationEnv(redis.url, prefix);
  await using api = await startBenchApi(env);
  const client = createApiClient(api.origin);
  const account = await client.call<{ id: string }>('POST', '/integrated-accounts', {
    provider: 'close',
    name: 'bench',
    credentials: { type: 'api_key', api_key: 'demo-close-key-bench', base_url: `${sandbox.origin}/close` },
    settings: { rate_limit: { requests: 1_000_000, per_seconds: 1, concurrency: CONCURRENCY } },
  });
  await client.call('POST', `/integrated-accounts/${account.id}/pause`);
  await client.many(count, 64, (i) =>
    client.call(
      'POST',
      `/unified/crm/opportunities?integrated_account_id=${account.id}`,
      opportunityBody(i, ids),
    ),
  );
  const connection = new Redis(redis.url);
  const left = () => openJobs(connection, createKeys(prefix), account.id);
  if ((await left()) !== count) throw new Error('the creates are not where they are counted');
  await using worker = await startBenchWorker(env);
  const result = await measure(
    redis,
    worker,
    count,
    async () => void (await client.call('POST', `/integrated-accounts/${account.id}/resume`)),
    left,
  );
  await client.close();
  connection.disconnect();
  return result;
}

/** Asked of Redis, as the floor's are: the API's answer, twenty times a second, would be part of what is measured. */
async function openJobs(redis: Redis, keys: Keys, account: string): Promise<number> {
  const p = partitionOfAccount(account, DEFAULT_PARTITIONS);
  const counts = await Promise.all(
    ['queued', 'running', 'waiting'].map((status) => redis.zcard(keys.jobsIn(p, account, status))),
  );
  return counts.reduce((sum, n) => sum + n, 0);
}
