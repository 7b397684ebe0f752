import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { opportunityBody } from './support/bodies.ts';
import { createApiClient } from './support/client.ts';
import { type Bench, compareRounds, type Figures, median, round } from './support/figures.ts';
import type { LoadOptions, LoadResult } from './support/load.ts';
import {
  ADMIN_TOKEN,
  type BenchRedis,
  installationEnv,
  type Measured,
  startBenchApi,
  startBenchRedis,
  startMeasured,
} from './support/processes.ts';

const IDS = { leads: ['lead_1', 'lead_2', 'lead_3'], owner: 'user_1' };

type Round = { perSecond: number; processUs: number; redisUs: number };

/**
 * Accepted creates a second over HTTP, loaded by autocannon from a process of its own with 64 connections: ours against
 * bare Express and `queue.add` of the same 600-byte body, both on `appendfsync always`, in alternating rounds.
 */
export const accept: Bench = async ({ quick }) => {
  const seconds = quick ? 2 : 8;
  await using redis = await startBenchRedis();
  const floors: Round[] = [];
  const ours: Round[] = [];
  for (let i = 0; i < (quick ? 1 : 5); i++) {
    floors.push(await acceptFloor(redis, seconds, `floor${i}`));
    ours.push(await acceptOurs(redis, seconds, `ours${i}`));
  }
  const per = (rounds: Round[], key: keyof Round) => round(median(rounds.map((r) => r[key])), 1);
  return {
    ours_per_second: per(ours, 'perSecond'),
    floor_per_second: per(floors, 'perSecond'),
    ...compareRounds(
      ours.map((r) => r.perSecond),
      floors.map((r) => r.perSecond),
      0.45,
    ),
    cpu_us_per_accept: {
      api: per(ours, 'processUs'),
      floor: per(floors, 'processUs'),
      redis: per(ours, 'redisUs'),
      redis_floor: per(floors, 'redisUs'),
    },
    cpu_us_per_accept_above_floor: {
      api: round(per(ours, 'processUs') - per(floors, 'processUs'), 1),
      redis: round(per(ours, 'redisUs') - per(floors, 'redisUs'), 1),
    },
  } satisfies Figures;
};

async function acceptFloor(redis: BenchRedis, seconds: number, prefix: string): Promise<Round> {
  await using server = await startMeasured('bench/floors/accept-floor.ts', 'PORT', '/ready', {
    REDIS_URL: redis.url,
    REDIS_PREFIX: prefix,
  });
  return await measure(redis, server, {
    url: `${server.origin}/jobs`,
    seconds,
    body: JSON.stringify(opportunityBody(1, IDS)),
    headers: {},
  });
}

async function acceptOurs(redis: BenchRedis, seconds: number, prefix: string): Promise<Round> {
  await using api = await startBenchApi(installationEnv(redis.url, prefix));
  const client = createApiClient(api.origin);
  const account = await client.call<{ id: string }>('POST', '/integrated-accounts', {
    provider: 'close',
    name: 'bench',
    credentials: { type: 'api_key', api_key: 'demo-close-key', base_url: 'http://127.0.0.1:1' },
  });
  await client.close();
  return await measure(redis, api, {
    url: `${api.origin}/unified/crm/opportunities?integrated_account_id=${account.id}`,
    seconds,
    body: JSON.stringify(opportunityBody(1, IDS)),
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
}

async function measure(redis: BenchRedis, server: Measured, load: LoadOptions): Promise<Round> {
  // What is compiled and connected on first use is not what is measured.
  await runLoad({ ...load, seconds: 1 });
  const [serverBefore, redisBefore] = [server.cpuMs(), redis.cpuMs()];
  const { accepted, durationMs, refused } = await runLoad(load);
  if (refused > 0) throw new Error(`${refused} requests were not answered 202`);
  return {
    perSecond: accepted / (durationMs / 1_000),
    processUs: ((server.cpuMs() - serverBefore) * 1_000) / accepted,
    redisUs: ((redis.cpuMs() - redisBefore) * 1_000) / accepted,
  };
}

function runLoad(options: LoadOptions): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('support/load.ts', import.meta.url)));
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as LoadResult));
    child.once('error', reject);
    child.once('exit', (code) => code && reject(new Error(`the load process ended with ${code}`)));
    child.send(options);
  });
}
