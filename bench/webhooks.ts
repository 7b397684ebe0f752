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

/**
 * How long an event takes from its transition to a receiver that answers: alone, beside a second endpoint that
 * answers too (the same work for us), and beside one that hangs for every call. Rounds alternate, so that a noisy machine is noisy for both.
 */
export const webhooks: Bench = async ({ quick }) => {
  const count = quick ? 90 : 600;
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

  /** Latencies at `/good`, alone or while a second endpoint gets the same events. */
  async function measureBeside(other: 'other' | 'hang' | 'nobody', events: number): Promise<number[]> {
    const second = other === 'nobody' ? undefined : await subscribe(other);
    receiver.arrivals.length = 0;
    for (let i = 0; i < events; i++) {
      await client.call('POST', `/unified/crm/opportunities?integrated_account_id=${account.id}`, {
        name: `Webhook ${i}`,
        account: { id: 'lead_Northwind' },
        owner: { id: 'user_Ann' },
      });
      await sleep(1_000 / PER_SECOND);
    }
    const untilMs = Date.now() + 30_000;
    while (receiver.arrivals.length < events && Date.now() < untilMs) await sleep(20);
    const latencies = [...receiver.arrivals];
    if (latencies.length < events) throw new Error(`only ${latencies.length} of ${events} events arrived`);
    if (second) await client.call('DELETE', `/webhook-endpoints/${second.id}`);
    return latencies;
  }

  await measureBeside('other', 40);
  const rounds = quick ? 1 : 3;
  const alone: number[] = [];
  const healthy: number[] = [];
  const hanging: number[] = [];
  for (let i = 0; i < rounds; i++) {
    alone.push(...(await measureBeside('nobody', count / rounds)));
    healthy.push(...(await measureBeside('other', count / rounds)));
    hanging.push(...(await measureBeside('hang', count / rounds)));
    // Calls that hang end here, and nothing of this round is left for the next.
    receiver.drop();
  }
  await client.close();
  const figures = (values: number[]) => ({
    p50_ms: percentile(values, 50),
    p95_ms: percentile(values, 95),
    max_ms: Math.max(...values),
  });
  const [without, beside] = [figures(healthy), figures(hanging)];

  return {
    events: count,
    per_second: PER_SECOND,
    alone: figures(alone),
    beside_one_that_answers: without,
    beside_one_that_hangs: beside,
    hanging_calls: receiver.hanging(),
    p95_difference_ms: round(beside.p95_ms - without.p95_ms, 1),
  } satisfies Figures;
};

/** `/good` answers at once and measures, `/hang` never answers. */
async function startReceiver() {
  const arrivals: number[] = [];
  let hanging = 0;
  const server = createServer((req, res) => {
    if (req.url === '/other') {
      req.resume();
      res.writeHead(204).end();
      return;
    }
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
      arrivals.push(arrivedMs - Date.parse(JSON.parse(body).timestamp));
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
