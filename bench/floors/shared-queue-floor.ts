/**
 * Control of `fairness`: all accounts in one BullMQ queue. A job whose account is at its limit is delayed until the account's next
 * free slot; everything else is first come, first served.
 */
import { createServer } from 'node:http';
import { DelayedError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';

export type SharedQueueJob = { url: string; authorization: string; perSecond: number; body: unknown };

const TIMEOUT_MS = 30_000;
/** Shorter waits are waited in place. */
const IN_PLACE_MS = 5;

const { REDIS_URL = '', REDIS_PREFIX, CONCURRENCY = '200' } = process.env;
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const dispatcher = new Agent({ connections: 256 });
const nextSlotMs = new Map<string, number>();
/** Jobs that were given a slot, and wait for it. */
const reserved = new Set<string>();

const worker = new Worker<SharedQueueJob>(
  'shared',
  async (job, token) => {
    const { url, authorization, perSecond, body } = job.data;
    const id = job.id ?? '';
    if (!reserved.delete(id)) {
      const slotMs = Math.max(Date.now(), nextSlotMs.get(authorization) ?? 0);
      nextSlotMs.set(authorization, slotMs + 1_000 / perSecond);
      if (slotMs - Date.now() > IN_PLACE_MS) {
        reserved.add(id);
        await job.moveToDelayed(slotMs, token);
        throw new DelayedError();
      }
    }
    const answer = await request(url, {
      method: 'POST',
      dispatcher,
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      headersTimeout: TIMEOUT_MS,
    });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`the provider answered ${answer.statusCode}`);
  },
  {
    connection,
    prefix: REDIS_PREFIX,
    concurrency: Number(CONCURRENCY),
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  },
);
// A call that fails is not this control's subject; without a listener the process would end.
worker.on('error', () => {});
const server = createServer((_req, res) => void res.end('{}')).listen(
  Number(process.env.PORT),
  process.env.HOST ?? '127.0.0.1',
);
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  worker.close(true).then(() => process.exit(0));
});
