import { createServer } from 'node:http';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { TIMEOUT_MS } from '../accounts.ts';
import { naiveRequest } from './request.ts';
import { PORT, PREFIX, QUEUE, REDIS_URL, SANDBOX } from './settings.ts';

/**
 * The control's worker: plain BullMQ with attempts and backoff, a POST on every try, no record of what was begun. It
 * must make duplicates under the same chaos, or the chaos is too kind.
 */
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
connection.on('error', () => {});

const worker = new Worker(
  QUEUE,
  async (job: Job) => {
    const { url, headers, body } = naiveRequest(SANDBOX, job.data.account, job.data.body);
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    const record = JSON.parse(text);
    return { id: String(record.id ?? record.opportunity?.id) };
  },
  {
    connection,
    prefix: PREFIX,
    concurrency: 64,
    lockDuration: 2_000,
    stalledInterval: 500,
    maxStalledCount: 10,
  },
);
worker.on('error', () => {});

createServer((_req, res) => res.end('{}')).listen(PORT, '127.0.0.1');
