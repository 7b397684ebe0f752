/** Floor of `accept`: the least an accept can be, Express 5 with a JSON body and one `queue.add` of it. */
import { Queue } from 'bullmq';
import express from 'express';
import { Redis } from 'ioredis';

const connection = new Redis(process.env.REDIS_URL ?? '', { maxRetriesPerRequest: 1 });
const queue = new Queue('floor', { connection, prefix: process.env.REDIS_PREFIX });
const app = express();
app.disable('x-powered-by');
app.use(express.json());
app.get('/ready', (_req, res) => void res.json({ ok: true }));
app.post('/jobs', async (req, res) => {
  const job = await queue.add('write', req.body, { removeOnComplete: true, removeOnFail: true });
  res.status(202).json({ id: job.id });
});
await queue.waitUntilReady();
const server = app.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  queue.close().then(() => process.exit(0));
});
