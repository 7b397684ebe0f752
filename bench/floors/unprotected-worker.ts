/**
 * The write without the protocol: the same mapping and result as ours, a status record, retries by BullMQ — and no
 * intent before the bytes, no claim, no look before a repetition, no gate. What lies between this and ours is the price.
 */
import { createServer } from 'node:http';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { closeClient } from '../../shared/providers/close/client.ts';
import { close } from '../../shared/providers/close/descriptor.ts';
import { formatResult } from '../../shared/providers/format-result.ts';
import type { Call, ProviderRequest } from '../../shared/providers/port.ts';

const {
  REDIS_URL = '',
  REDIS_PREFIX = '',
  TARGET_URL = '',
  AUTHORIZATION = '',
  CONCURRENCY = '100',
} = process.env;
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const records = new Redis(REDIS_URL, { maxRetriesPerRequest: null, enableAutoPipelining: true });
const queue = new Queue('unprotected', { connection, prefix: REDIS_PREFIX });
const dispatcher = new Agent({ connections: 256 });

async function send({ method, path, body }: ProviderRequest) {
  const answer = await request(TARGET_URL + path, {
    method,
    dispatcher,
    headers: { authorization: AUTHORIZATION, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.statusCode, body: await answer.body.json() };
}

const call: Call = async (wanted) => ({
  kind: 'answered',
  ...(await send(wanted)),
  headers: {},
  receivedAtMs: Date.now(),
});

async function readFacts(): Promise<AccountFacts> {
  const facts = await closeClient.fetchFacts(call, Date.now(), {});
  if (!facts.ok) throw new Error('the live values could not be read');
  return facts.value;
}

const facts = await readFacts();
const worker = new Worker(
  'unprotected',
  async (job: Job<OpportunityInput>) => {
    const mapped = close.plan({
      opportunity: job.data,
      settings: {},
      facts,
      remoteQuery: {},
      marker: undefined,
    });
    if (!mapped.ok) throw new Error(JSON.stringify(mapped.failures));
    const answer = await send(mapped.plan.create);
    if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    const opportunity = { ...close.unify(answer.body, facts), remote_data: answer.body };
    const result = formatResult(
      { opportunity, answer: answer.body, isWhole: true },
      { response_format: 'unified' },
    );
    await records.hset(`${REDIS_PREFIX}:record:${job.id}`, {
      status: 'succeeded',
      finished: Date.now(),
      result: JSON.stringify(result),
    });
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
