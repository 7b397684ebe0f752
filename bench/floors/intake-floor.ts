/** Floor of `intake`: an import as most would write it, every line a job of BullMQ, unchecked, 1,000 in one pipeline. */
import { createInterface } from 'node:readline';
import { Queue } from 'bullmq';
import express from 'express';
import { Redis } from 'ioredis';

const AT_ONCE = 1_000;

const connection = new Redis(process.env.REDIS_URL ?? '', { maxRetriesPerRequest: 1 });
const queue = new Queue('floor', { connection, prefix: process.env.REDIS_PREFIX });
const app = express();
app.disable('x-powered-by');
app.get('/ready', (_req, res) => void res.json({ ok: true }));
app.post('/imports', async (req, res) => {
  let jobs: { name: string; data: unknown }[] = [];
  let rows = 0;
  const flush = async () => {
    await queue.addBulk(jobs);
    rows += jobs.length;
    jobs = [];
  };
  for await (const line of createInterface({ input: req })) {
    jobs.push({ name: 'row', data: JSON.parse(line) });
    if (jobs.length === AT_ONCE) await flush();
  }
  await flush();
  res.status(202).json({ id: String(rows) });
});
await queue.waitUntilReady();
await queue.pause();
const server = app.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  queue.close().then(() => process.exit(0));
});
