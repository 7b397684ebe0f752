import { randomBytes, randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { buildApi } from '../../api/build-api.ts';
import { listen } from '../../api/listen.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { type Config, readConfig } from '../../shared/config.ts';
import { ErrorView } from '../../shared/contract/error-view.ts';
import type { Operation } from '../../shared/contract/operation.ts';
import { OPERATIONS } from '../../shared/contract/operations.ts';
import type { ProviderName } from '../../shared/domain/integrated-account.ts';
import { createKeys } from '../../shared/redis/keys.ts';
import { agreeOnPartitions } from '../../shared/redis/partitions.ts';
import { Shutdown } from '../../shared/shutdown.ts';
import { createJobStore } from '../../shared/stores/job-store.ts';
import { connectTestRedis, silentLogger, testRedisUrl, uniquePrefix } from '../support/redis.ts';

export const ADMIN = 'test-admin-token-0123456789';

export type Reply = {
  status: number;
  headers: Headers;
  // What a test reads of an answer is what it asserts; the shape itself is checked by its schema on arrival.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
};

export type Call = {
  method?: string;
  body?: unknown;
  /** Sent as it is. */
  raw?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
  token?: string | null;
};

export type TestApi = Awaited<ReturnType<typeof startTestApi>>;

/** The whole API in this process, over HTTP, on the tests' Redis under its own prefix; ends with the test. */
export async function startTestApi(env: Record<string, string> = {}, clock: Clock = systemClock) {
  const prefix = uniquePrefix();
  const config: Config = readConfig({
    REDIS_URL: testRedisUrl(),
    REDIS_PREFIX: prefix,
    ADMIN_TOKEN: ADMIN,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    PROVIDER_URL_ALLOWLIST: 'http://127.0.0.1:*',
    ...env,
  });
  const shutdown = new Shutdown(silentLogger, 5_000);
  onTestFinished(() => shutdown.run('test over'));
  const { app, waiter, letGo } = await buildApi(config, silentLogger, shutdown, clock);
  const server = shutdown.own('server', await listen(app, 0, '127.0.0.1'), (s) => {
    letGo();
    return s.close();
  });
  const redis = await connectTestRedis();
  const keys = createKeys(prefix);
  const partitions = await agreeOnPartitions(redis, keys);
  const jobs = createJobStore({
    redis,
    keys,
    partitions,
    clock,
    retentionMs: 86_400_000,
    backlogLimit: config.backlogLimit,
    orphanMs: 15_000,
    replicas: 0,
  });

  async function call(
    path: string,
    { method = 'GET', body, raw, headers = {}, token = ADMIN }: Call = {},
  ): Promise<Reply> {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const reply = {
      status: response.status,
      headers: response.headers,
      body: isJson && text ? JSON.parse(text) : text,
    };
    assertConforms(method, path, reply);
    return reply;
  }

  async function connectAccount(
    provider: ProviderName,
    more: Record<string, unknown> = {},
    options: Call = {},
  ) {
    const body = { provider, name: `Test ${provider}`, credentials: CREDENTIALS[provider], ...more };
    const reply = await call('/integrated-accounts', { method: 'POST', body, ...options });
    expect(reply.status, JSON.stringify(reply.body)).toBe(201);
    return reply.body;
  }

  const create = (
    account: string,
    body: unknown,
    { query = '', ...options }: Call & { query?: string } = {},
  ) =>
    call(`/unified/crm/opportunities?integrated_account_id=${account}${query}`, {
      method: 'POST',
      body,
      ...options,
    });

  return { url: server.url, call, create, connectAccount, jobs, redis, keys, prefix, partitions, waiter };
}

const base = 'http://127.0.0.1:9';
const CREDENTIALS = {
  salesforce: {
    type: 'oauth2_client_credentials',
    instance_url: `${base}/salesforce`,
    client_id: 'id',
    client_secret: 'canary-secret',
  },
  close: { type: 'api_key', api_key: 'canary-secret', base_url: `${base}/close` },
  capsule: { type: 'personal_access_token', token: 'canary-secret', base_url: `${base}/capsule` },
};

/** The least each provider takes. */
export const MINIMUM = {
  salesforce: { name: 'Acme', stage: { id: 'Prospecting' }, close_date: '2026-04-30' },
  close: { account: { id: 'lead_1' }, owner: { id: 'user_1' } },
  capsule: { name: 'Acme', account: { id: '1' }, stage: { id: '2' } },
};

export const unknownId = () => randomUUID();

function operationFor(method: string, path: string): Operation | undefined {
  const pathname = path.split('?')[0] ?? '';
  return OPERATIONS.find(
    (operation) =>
      operation.method === method.toLowerCase() &&
      new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
}

/** Every answer of every test has the shape its operation publishes, and an id. */
function assertConforms(method: string, path: string, reply: Reply): void {
  expect(reply.headers.get('x-request-id'), `${method} ${path}`).toMatch(/^\S{1,128}$/);
  if (reply.status >= 400 && !path.startsWith('/readyz')) {
    ErrorView.strict().parse(reply.body);
    expect(reply.body.statusCode).toBe(reply.status);
    expect(reply.body.request_id).toBe(reply.headers.get('x-request-id'));
    return;
  }
  const operation = operationFor(method, path);
  if (!operation) return;
  const spec = operation.responses[reply.status];
  expect(spec, `${method} ${path} answered ${reply.status}, which is not published`).toBeDefined();
  const result = spec?.schema?.safeParse(reply.body);
  expect(result?.error?.issues ?? [], `${method} ${path} ${JSON.stringify(reply.body)}`).toEqual([]);
}
