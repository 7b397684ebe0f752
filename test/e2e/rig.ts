import { randomBytes, randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { startSandbox } from '../../sandbox/core/start.ts';
import type { AccountSettings, ProviderName } from '../../shared/domain/integrated-account.ts';
import { connectRedis, waitUntilReady } from '../../shared/redis/connect.ts';
import { createKeys } from '../../shared/redis/keys.ts';
import { partitionOfAccount } from '../../shared/redis/partitions.ts';
import {
  type Environment,
  type RunningProcess,
  startApi,
  startWorker,
  TEST_ADMIN_TOKEN,
} from '../support/processes.ts';
import { silentLogger, uniquePrefix } from '../support/redis.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { until } from '../support/until.ts';

/** Everything is taken over within a second or two. */
const HASTY: Environment = {
  ENGINE_LOCK_MS: '1000',
  ENGINE_STALLED_MS: '300',
  SWEEP_MS: '300',
  ORPHAN_MS: '600',
};
/** The repairs taken away: what a crash leaves behind stays as it is. */
export const NO_SWEEPS: Environment = { SWEEP_MS: '600000', ORPHAN_MS: '3600000' };
export const NO_TAKEOVER: Environment = { ...NO_SWEEPS, ENGINE_STALLED_MS: '600000' };

export const SETTINGS: AccountSettings = {
  timeout_ms: 1_500,
  reconcile: { settle_ms: 500, probes: 6 },
  retry: { max_attempts: 100 },
  rate_limit: { requests: 200, per_seconds: 1, concurrency: 16 },
};
export const BY_KEY: AccountSettings['marker'] = { kind: 'external_id', field: 'Dealwright_Id__c' };

const BODIES: Record<ProviderName, Record<string, unknown>> = {
  salesforce: { stage: { name: 'Prospecting' }, close_date: '2027-03-31' },
  close: { account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } },
  capsule: { account: { id: '4711' }, stage: { name: 'Qualified' } },
};
const CREATE_PATHS: Record<ProviderName, string> = {
  salesforce: '/sobjects/Opportunity',
  close: '/close/api/v1/opportunity/',
  capsule: '/\\/api\\/v2\\/opportunities$/',
};

export type Job = {
  id: string;
  status: string;
  wait_reason: string | null;
  attempts: { outcome: string | null }[];
  result: { id: string } | null;
  error: { code: string } | null;
};
export type Answer = { status: number; headers: Headers; body: Record<string, unknown> };
export type Target = { id: string; provider: ProviderName };
export type Rig = Awaited<ReturnType<typeof startRig>>;

/** Sandbox, Redis and one healthy API; the processes a test kills are its own. `redisUrl`: every test has its prefix. */
export async function startRig(redisUrl: string, apiEnv: Environment = {}) {
  const prefix = uniquePrefix();
  const keys = createKeys(prefix);
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1' });
  const redis = connectRedis(redisUrl, 'worker', silentLogger);
  await waitUntilReady(redis, redisUrl, 10_000);
  const installation = (env: Environment, url = redisUrl) => ({
    redisUrl: url,
    prefix,
    env: { ...HASTY, ...env },
  });
  const api = await startApi(installation(apiEnv));

  async function ask(method: string, path: string, body?: unknown, headers = {}, at = api): Promise<Answer> {
    const answer = await fetch(at.origin + path, {
      method,
      headers: {
        authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : {} };
  }

  const control = async (what: string, body: unknown) => {
    const answer = await fetch(`${sandbox.origin}/_control/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const keep = (process: RunningProcess) => {
    onTestFinished(() => void process.kill());
    return process;
  };
  const partitions = Number(await redis.get(keys.partitions));

  return {
    prefix,
    keys,
    redis,
    api,
    sandbox,
    control,
    ask,
    /** The engine's keys and ours of one account. */
    partitionOf: (account: Target) => partitionOfAccount(account.id, partitions),

    /** These two live until somebody kills them, the others until the end of the running test. */
    workerForAll: (env: Environment = {}) => startWorker(installation(env)),
    anotherApiForAll: (env: Environment = {}) => startApi(installation(env)),
    worker: async (env: Environment = {}, proxy?: RedisProxy) =>
      keep(await startWorker(installation(env, proxy?.url))),
    anotherApi: async (env: Environment = {}, proxy?: RedisProxy) =>
      keep(await startApi(installation(env, proxy?.url))),
    async proxy(): Promise<RedisProxy> {
      const proxy = await startRedisProxy(redisUrl);
      onTestFinished(() => proxy[Symbol.asyncDispose]());
      return proxy;
    },

    credentials: (provider: ProviderName) => credentialsOf(provider, sandbox.origin),

    /** Connected without a worker's check: a marker that exists needs none. */
    async account(
      provider: ProviderName,
      settings: AccountSettings = {},
      credentials: Record<string, unknown> = credentialsOf(provider, sandbox.origin),
    ): Promise<Target> {
      const id = randomUUID();
      const answer = await ask('POST', '/integrated-accounts', {
        id,
        provider,
        credentials,
        settings: { ...SETTINGS, ...settings },
      });
      if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
      return { id, provider };
    },

    /** @param key `null`: without a key. */
    create: (
      account: Target,
      name: string,
      key: string | null = randomUUID(),
      at = api,
      headers: Record<string, string> = {},
    ): Promise<Answer> =>
      ask(
        'POST',
        `/unified/crm/opportunities?integrated_account_id=${account.id}`,
        { name, ...BODIES[account.provider] },
        { ...headers, ...(key === null ? {} : { 'idempotency-key': key }) },
        at,
      ),

    // The shape is what the OpenAPI document says of a job.
    job: async (id: string): Promise<Job> => (await ask('GET', `/jobs/${id}`)).body as Job,

    async ended(id: string, withinMs = 15_000): Promise<Job> {
      const over = ['succeeded', 'failed', 'cancelled', 'needs_review'];
      const last = { job: undefined as Job | undefined };
      await until(
        `job ${id} ended`,
        async () => {
          last.job = (await ask('GET', `/jobs/${id}`)).body as Job;
          return over.includes(last.job.status);
        },
        { withinMs, everyMs: 50 },
      ).catch((cause) => {
        throw new Error(`job ${id} did not end: ${JSON.stringify(last.job)}`, { cause });
      });
      return last.job as Job;
    },

    async records(account: Target, name: string): Promise<unknown[]> {
      const answer = await fetch(`${sandbox.origin}/_control/records?provider=${account.provider}`);
      const { records } = (await answer.json()) as { records: Record<string, unknown>[] };
      return records.filter((record) => JSON.stringify(record).includes(name));
    },

    /** Creates that reached the provider, whatever became of them. */
    async createCalls(account: Target, name: string): Promise<number> {
      const answer = await fetch(`${sandbox.origin}/_control/calls?provider=${account.provider}`);
      const { calls } = (await answer.json()) as { calls: { method: string; body?: unknown }[] };
      return calls.filter(({ method, body }) => method !== 'GET' && JSON.stringify(body ?? '').includes(name))
        .length;
    },

    /** Calls under way, as the gate knows them. */
    leases: (account: Target) =>
      redis.zcard(keys.leases(partitionOfAccount(account.id, partitions), account.id)),

    fault: (account: Target, fault: Record<string, unknown>) =>
      control('faults', {
        provider: account.provider,
        match: { path: CREATE_PATHS[account.provider] },
        ...fault,
      }),

    async close(): Promise<void> {
      await api.kill();
      redis.disconnect();
      await sandbox.close();
    },
  };
}

function credentialsOf(provider: ProviderName, origin: string): Record<string, string> {
  switch (provider) {
    case 'close':
      return { type: 'api_key', api_key: 'demo-close-key', base_url: `${origin}/close` };
    case 'capsule':
      return {
        type: 'personal_access_token',
        token: 'demo-capsule-token',
        base_url: `${origin}/capsule`,
      };
    case 'salesforce':
      return {
        type: 'oauth2_refresh_token',
        instance_url: `${origin}/salesforce`,
        login_url: `${origin}/salesforce`,
        client_id: 'demo-salesforce-client',
        client_secret: 'demo-salesforce-secret',
        refresh_token: 'demo-salesforce-refresh',
        access_token: 'demo-salesforce-access',
      };
  }
}

/** A name no other record has. */
export const aName = (what: string) => `${what} ${randomBytes(5).toString('hex')}`;
