import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from './support/client.ts';
import { type Bench, type Figures, percentile, round } from './support/figures.ts';
import {
  installationEnv,
  startBenchApi,
  startBenchRedis,
  startBenchSandbox,
  startBenchWorker,
} from './support/processes.ts';

const PER_SECOND = 40;

type Arrival = { type: string; latencyMs: number };

/**
 * How long an event takes from its transition to the receiver that answers, with and without another endpoint that hangs for
 * every call. The floor is the same run without it.
 */
export const webhooks: Bench = async ({ quick }) => {
  const count = quick ? 120 : 600;
  await using redis = await startBenchRedis();
  await using sandbox = await startBenchSandbox();
  await using receiver = await startReceiver();
  const env = { ...installationEnv(redis.url, 'webhooks'), WEBHOOK_ALLOW_PRIVATE: 'true' };
  await using api = await startBenchApi(env);
  await using _worker = await startBenchWorker(env);
  const client = createApiClient(api.origin);
  await fetch(`${sandbox.origin}/_control/limits`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'close', ratelimit_header: 'absent' }),
  });
  const account = await client.call<{ id: string }>('POST', '/integrated-accounts', {
    provider: 'close',
    name: 'bench',
    credentials: { type: 'api_key', api_key: 'demo-close-key-bench', base_url: `${sandbox.origin}/close` },
    settings: { rate_limit: { requests: 10_000, per_seconds: 1, concurrency: 50 } },
  });
  const subscribe = (path: string) =>
    client.call<{ id: string }>('POST', '/webhook-endpoints', {
      url: `${receiver.origin}/${path}`,
      events: ['*'],
    });
  await subscribe('good');

  async function measure(n: number): Promise<number[]> {
    receiver.arrivals.length = 0;
    for (let i = 0; i < n; i++) {
      await client.call('POST', `/unified/crm/opportunities?integrated_account_id=${account.id}`, {
        name: `Webhook ${i}`,
        account: { id: 'lead_Northwind' },
        owner: { id: 'user_Ann' },
      });
      await sleep(1_000 / PER_SECOND);
    }
    const untilMs = Date.now() + 30_000;
    while (receiver.arrivals.length < n && Date.now() < untilMs) await sleep(20);
    if (receiver.arrivals.length < n)
      throw new Error(`only ${receiver.arrivals.length} of ${n} events arrived`);
    return receiver.arrivals.map(({ latencyMs }) => latencyMs);
  }

  await measure(40);
  const without = await measure(count);
  await subscribe('hang');
  const beside = await measure(count);
  await client.close();
  // Calls that hang would hold the worker's end up.
  receiver.drop();
  const figures = (values: number[]) => ({
    p50_ms: percentile(values, 50),
    p95_ms: percentile(values, 95),
    max_ms: Math.max(...values),
  });
  return {
    events: count,
    per_second: PER_SECOND,
    without_hanging: figures(without),
    with_hanging: figures(beside),
    hanging_calls: receiver.hanging(),
    p95_difference_ms: round(percentile(beside, 95) - percentile(without, 95), 1),
  } satisfies Figures;
};

/** `/good` answers at once and measures, `/hang` never answers. */
async function startReceiver() {
  const arrivals: Arrival[] = [];
  let hanging = 0;
  const server = createServer((req, res) => {
    if (req.url === '/hang') {
      hanging += 1;
      req.resume();
      return;
    }
    const arrivedMs = Date.now();
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    req.on('end', () => {
      const { type, timestamp } = JSON.parse(body);
      arrivals.push({ type, latencyMs: arrivedMs - Date.parse(timestamp) });
      res.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    arrivals,
    hanging: () => hanging,
    drop: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
