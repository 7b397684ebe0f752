import { createServer, type IncomingMessage } from 'node:http';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { PORT, PREFIX, QUEUE, REDIS_URL } from './settings.ts';

/** The control's API: as most would write it. A BullMQ job per create, its id from the idempotency key. */
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
connection.on('error', () => {});
const queue = new Queue(QUEUE, { connection, prefix: PREFIX });
queue.on('error', () => {});

async function answer(req: IncomingMessage): Promise<[status: number, body: unknown]> {
  const url = new URL(req.url ?? '/', 'http://localhost');
  if (url.pathname === '/readyz') return [200, {}];
  if (req.method === 'GET') return readJob(url.pathname.replace('/jobs/', ''));
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const jobId = String(req.headers['idempotency-key']);
  await queue.add(
    'create',
    { account: url.searchParams.get('integrated_account_id'), body },
    { jobId, attempts: 8, backoff: { type: 'exponential', delay: 1_000 } },
  );
  return [202, { id: jobId }];
}

async function readJob(id: string): Promise<[status: number, body: unknown]> {
  const job = await queue.getJob(id);
  if (!job) return [404, {}];
  const state = await job.getState();
  const status = state === 'completed' ? 'succeeded' : state === 'failed' ? 'failed' : 'running';
  const error = job.failedReason ? { code: 'failed', message: job.failedReason } : null;
  return [200, { id, status, attempts: [], warnings: [], result: job.returnvalue ?? null, error }];
}

createServer((req, res) => {
  answer(req).then(
    ([status, body]) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    () => res.writeHead(503).end(),
  );
}).listen(PORT, '127.0.0.1');
