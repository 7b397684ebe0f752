import { type ApiClient, createApiClient } from './client.ts';
import {
  type BenchRedis,
  installationEnv,
  type Measured,
  startBenchApi,
  startBenchRedis,
  startBenchWorker,
} from './processes.ts';
import { type BenchSandbox, startSandboxWithControl } from './sandbox.ts';

export type BenchSystem = {
  env: Record<string, string>;
  redis: BenchRedis;
  api: Measured;
  client: ApiClient;
  sandboxes: BenchSandbox[];
  workers: Measured[];
  [Symbol.asyncDispose](): Promise<void>;
};

/** An installation of its own: Redis, an API, workers and sandboxes. `await using` ends all of them, last started first. */
export async function startSystem(options: {
  prefix: string;
  sandboxes?: number;
  workers?: number;
  env?: Record<string, string>;
}): Promise<BenchSystem> {
  await using starting = new AsyncDisposableStack();
  const redis = starting.use(await startBenchRedis());
  const env = { ...installationEnv(redis.url, options.prefix), ...options.env };
  const sandboxes: BenchSandbox[] = [];
  for (let i = 0; i < (options.sandboxes ?? 1); i++)
    sandboxes.push(starting.use(await startSandboxWithControl()));
  const api = starting.use(await startBenchApi(env));
  const workers: Measured[] = [];
  for (let i = 0; i < (options.workers ?? 1); i++) workers.push(starting.use(await startBenchWorker(env)));
  const client = createApiClient(api.origin);
  starting.defer(() => client.close());
  const running = starting.move();
  return {
    ...{ env, redis, api, client, sandboxes, workers },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
