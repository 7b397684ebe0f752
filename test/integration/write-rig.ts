import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../sandbox/core/start.ts';
import { systemClock } from '../../shared/clock.ts';
import type {
  AccountSettings,
  ProviderName,
  StoredCredentials,
} from '../../shared/domain/integrated-account.ts';
import { isSettled, type JobRecord, type JobRequest } from '../../shared/domain/job.ts';
import { createAccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import { connectRedis, type RedisClient, waitUntilReady } from '../../shared/redis/connect.ts';
import { createKeys, type Keys } from '../../shared/redis/keys.ts';
import { agreeOnPartitions } from '../../shared/redis/partitions.ts';
import { type Account, createAccountStore } from '../../shared/stores/account-store.ts';
import { createJobStore } from '../../shared/stores/job-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import {
  type Environment,
  type RunningProcess,
  startSandboxProcess,
  startWorker,
} from '../support/processes.ts';
import { silentLogger, testRedisUrl, uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';

/** What the sandbox is asked to do wrong; see its control routes. */
export type Fault = { kind: string; match?: Record<string, string>; times?: number } & Record<
  string,
  unknown
>;

export type LoggedCall = {
  number: number;
  method: string;
  path: string;
  query: string;
  startedAtMs: number;
  endedAtMs?: number;
  status?: number;
  body?: string;
};

export type Rig = Awaited<ReturnType<typeof startRig>>;

/** The method and path of the call that creates an opportunity, as the sandbox matches and logs them. */
export const CREATE: Record<ProviderName, { method: string; path: string }> = {
  salesforce: { method: 'POST', path: '/sobjects/Opportunity' },
  close: { method: 'POST', path: '/api/v1/opportunity/' },
  capsule: { method: 'POST', path: '/api/v2/opportunities' },
};

/** The least a create needs at the sandbox. */
export const MINIMUM: Record<ProviderName, Record<string, unknown>> = {
  salesforce: { stage: { name: 'Prospecting' }, close_date: '2026-12-01' },
  close: { account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } },
  capsule: { account: { id: '4711' }, stage: { name: 'Qualified' } },
};

/** Answers are waited for briefly and verdicts come soon, so that a lost create is settled within a test. */
export const HASTY: AccountSettings = {
  timeout_ms: 2_500,
  reconcile: { settle_ms: 200, probes: 3 },
  rate_limit: { requests: 200, per_seconds: 1 },
};

let names = 0;
let tenants = 0;

/** A name no other record of the run has: by it faults, calls and records are told apart. */
export function aName(what: string): string {
  return `${what} ${process.pid}-${++names}-${randomBytes(3).toString('hex')}`;
}

async function sandboxProcess() {
  const { origin, stop } = await startSandboxProcess();
  return { origin, close: stop };
}

/**
 * Our stores, real workers and a sandbox of its own, under one prefix. The API is left out: jobs are put in as it does.
 * `sandboxApart`: in a process of its own, for a test that counts when calls arrive; a test that is busy looking sees them late.
 */
export async function startRig(
  options: { workers?: number; env?: Environment; sandboxApart?: boolean } = {},
) {
  const prefix = uniquePrefix();
  const redisUrl = testRedisUrl();
  const secret = randomBytes(32);
  const env = { ENCRYPTION_KEYS: `rig:${secret.toString('base64')}`, ...options.env };
  const sandbox = options.sandboxApart
    ? await sandboxProcess()
    : await startSandbox({ port: 0, host: '127.0.0.1' });
  const redis: RedisClient = connectRedis(redisUrl, 'worker', silentLogger);
  await waitUntilReady(redis, redisUrl, 10_000);
  const keys: Keys = createKeys(prefix);
  const partitions = await agreeOnPartitions(redis, keys);
  const jobs = createJobStore({
    redis,
    keys,
    partitions,
    clock: systemClock,
    retentionMs: 86_400_000,
    backlogLimit: 100_000,
    orphanMs: 1_000,
    replicas: 0,
  });
  const box = createSealedBox([{ id: 'rig', key: secret }]);
  const accounts = createAccountStore({ redis, keys, partitions, clock: systemClock, box });
  const queues = createAccountQueues({ redis, keys, partitions, logger: silentLogger });
  const workers: RunningProcess[] = [];

  async function addWorker(more: Environment = {}): Promise<RunningProcess> {
    const worker = await startWorker({ redisUrl, prefix, env: { ...env, ...more } });
    workers.push(worker);
    return worker;
  }
  await Promise.all(Array.from({ length: options.workers ?? 1 }, () => addWorker()));

  /** Those of a user of its own: limits of the sandbox count per user. */
  function credentialsOf(provider: ProviderName): StoredCredentials {
    const tenant = `${++tenants}`;
    const base = `${sandbox.origin}/${provider}`;
    switch (provider) {
      case 'close':
        return { type: 'api_key', api_key: `demo-close-key-${tenant}`, base_url: base };
      case 'capsule':
        return { type: 'personal_access_token', token: `demo-capsule-token-${tenant}`, base_url: base };
      case 'salesforce':
        return {
          type: 'oauth2_refresh_token',
          instance_url: base,
          login_url: base,
          client_id: 'demo-salesforce-client',
          client_secret: 'demo-salesforce-secret',
          refresh_token: `demo-salesforce-refresh-${tenant}`,
        };
    }
  }

  async function connect(
    provider: ProviderName,
    settings: AccountSettings = HASTY,
    credentials: StoredCredentials = credentialsOf(provider),
  ): Promise<Account> {
    const made = await accounts.create({
      workspace: 'default',
      provider,
      name: provider,
      settings,
      credentials,
    });
    if (made === 'exists') throw new Error('a new account has the id of another');
    return made;
  }

  /** Puts a create in as the API does: record, queue, bell. @returns its id. */
  async function submit(
    account: Account,
    body: Record<string, unknown>,
    query: Partial<JobRequest['query']> = {},
    more: { queue?: boolean; bell?: boolean; importId?: string } = {},
  ): Promise<string> {
    const id = jobs.newId(account.id);
    const accepted = await jobs.accept(id, {
      workspace: account.workspace,
      account: account.id,
      provider: account.provider,
      request: {
        query: { response_format: 'unified', ...query },
        body: { ...MINIMUM[account.provider], ...body },
      },
      appliedDefaults: {},
      warnings: [],
      importId: more.importId,
    });
    if (accepted.kind !== 'accepted') throw new Error(`not accepted: ${accepted.kind}`);
    if (more.queue !== true)
      await queues.add(account.id, id, 1, more.importId ? PRIORITY.bulk : PRIORITY.interactive);
    if (more.bell !== true) await queues.ring(account.id);
    return id;
  }

  async function job(id: string): Promise<JobRecord> {
    const found = await jobs.find(id);
    if (!found) throw new Error(`there is no job ${id}`);
    return found;
  }

  async function settled(id: string, withinMs = 35_000): Promise<JobRecord> {
    try {
      return await until(
        `job ${id} is settled`,
        async () => {
          const found = await job(id);
          return isSettled(found.status) ? found : undefined;
        },
        { withinMs, everyMs: 30 },
      );
    } catch (err) {
      const lines = workers.flatMap((worker) =>
        worker
          .logs()
          .split('\n')
          .filter((line) => line.includes(id)),
      );
      const record = JSON.stringify(await job(id));
      throw new Error(`not settled: ${record}\n${lines.slice(-20).join('\n')}`, { cause: err });
    }
  }

  // A test asserts on the sandbox's own shapes field by field.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async function control(method: string, path: string, body?: unknown): Promise<any> {
    const response = await fetch(`${sandbox.origin}/_control${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`sandbox ${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  return {
    prefix,
    redis,
    keys,
    partitions,
    jobs,
    accounts,
    queues,
    sandbox,
    workers,
    addWorker,
    credentialsOf,
    connect,
    submit,
    job,
    settled,
    control,
    /** What an account's calls carry, once it has made one: by it a fault hits no other account. */
    async tokenOf(account: Account): Promise<string> {
      const stored = await accounts.credentials(account.id);
      const credentials: Partial<Record<string, unknown>> = { ...stored?.credentials };
      return String(credentials.access_token ?? credentials.token);
    },

    fault: (provider: ProviderName, fault: Fault) => control('POST', '/faults', { provider, ...fault }),

    /** A fault that hits only the create whose body has `name`. */
    faultOnCreate: (provider: ProviderName, name: string, fault: Fault) =>
      control('POST', '/faults', { provider, ...fault, match: { body: name, ...fault.match } }),

    /** Calls of a provider whose body or address has `text`. */
    async calls(provider: ProviderName, text = ''): Promise<LoggedCall[]> {
      const { calls } = await control('GET', `/calls?provider=${provider}`);
      return calls.filter(
        (call: LoggedCall) => call.body?.includes(text) || `${call.path}?${call.query}`.includes(text),
      );
    },

    /** Creates that reached the provider with `name` in them. */
    async creates(provider: ProviderName, name: string): Promise<LoggedCall[]> {
      const { calls } = await control('GET', `/calls?provider=${provider}`);
      const { path } = CREATE[provider];
      return calls.filter(
        ({ path: at, body }: LoggedCall) => at.includes(path) && body?.includes(name) === true,
      );
    },

    /** Records of the provider with `name` in them. */
    async records(provider: ProviderName, name: string): Promise<Record<string, unknown>[]> {
      const { records } = await control('GET', `/records?provider=${provider}`);
      return records.filter((record: unknown) => JSON.stringify(record).includes(name));
    },

    async close(): Promise<void> {
      await Promise.all(workers.map((worker) => worker.kill()));
      await queues.close();
      redis.disconnect();
      await sandbox.close();
    },
  };
}
