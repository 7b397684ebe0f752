import { createServer } from 'node:http';
import type { RedisClient } from '../shared/redis/connect.ts';
import { StartError } from '../shared/start-error.ts';
import { within } from './within.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** A Redis that answers later than this is not there for a probe. */
const ANSWER_MS = 1_000;

export type HealthDeps = {
  port: number;
  host: string;
  redis: RedisClient;
  metrics: WorkerMetrics;
  /** Queues this process runs at the moment. */
  attached: () => number;
};

/** `/healthz` (alive), `/readyz` (Redis answers), `/metrics`: all that the worker says over HTTP. */
export async function serveHealth(deps: HealthDeps): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(async (req, res) => {
    const send = (status: number, type: string, body: string) =>
      res.writeHead(status, { 'content-type': type }).end(body);
    if (req.method !== 'GET') return send(405, 'text/plain', 'Method Not Allowed\n');
    switch (req.url) {
      case '/healthz':
        return send(200, 'application/json', '{"status":"alive"}');
      case '/readyz': {
        const ready =
          deps.redis.status === 'ready' && (await within(ANSWER_MS, deps.redis.ping())) !== undefined;
        return send(
          ready ? 200 : 503,
          'application/json',
          JSON.stringify({ status: ready ? 'ready' : 'redis_away', queues: deps.attached() }),
        );
      }
      case '/metrics':
        return send(200, deps.metrics.registry.contentType, await deps.metrics.registry.metrics());
      default:
        return send(404, 'text/plain', 'Not Found\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) =>
      reject(
        err.code === 'EADDRINUSE'
          ? new StartError(
              `Port ${deps.port} on ${deps.host} is taken by another program; set WORKER_HEALTH_PORT to a free one.`,
            )
          : err,
      ),
    );
    server.listen(deps.port, deps.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : deps.port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
