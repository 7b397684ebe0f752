/** Floor of `drain`: a bare BullMQ worker that posts what the job holds. Everything a write needs beyond that is ours. */
import { createServer } from 'node:http';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';

const {
  REDIS_URL = '',
  REDIS_PREFIX,
  TARGET_URL = '',
  AUTHORIZATION = '',
  CONCURRENCY = '100',
} = process.env;
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue('floor', { connection, prefix: REDIS_PREFIX });
const dispatcher = new Agent({ connections: 256 });
const worker = new Worker(
  'floor',
  async (job) => {
    const answer = await request(TARGET_URL, {
      method: 'POST',
      dispatcher,
      headers: { authorization: AUTHORIZATION, 'content-type': 'application/json' },
      body: JSON.stringify(job.data),
    });
    const body = await answer.body.json();
    if (answer.statusCode >= 300) throw new Error(`${answer.statusCode} ${JSON.stringify(body)}`);
  },
  { connection, prefix: REDIS_PREFIX, concurrency: Number(CONCURRENCY), removeOnComplete: { count: 0 } },
);
const server = createServer((_req, res) => {
  queue.getJobCounts().then((counts) => res.end(JSON.stringify(counts)));
}).listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  Promise.all([worker.close(), queue.close()]).then(() => process.exit(0));
});
