import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startSandbox } from '../../sandbox/core/start.ts';
import { systemClock } from '../../shared/clock.ts';
import { jobEventOf } from '../../shared/domain/webhook.ts';
import { createAccountQueues } from '../../shared/queues/account-queues.ts';
import { connectRedis, type RedisClient } from '../../shared/redis/connect.ts';
import { createKeys } from '../../shared/redis/keys.ts';
import { agreeOnPartitions } from '../../shared/redis/partitions.ts';
import { createAccountStore } from '../../shared/stores/account-store.ts';
import { createDeliveryStore } from '../../shared/stores/delivery-store.ts';
import { createEventStore, EVENT_KEPT_MS } from '../../shared/stores/event-store.ts';
import { createJobStore } from '../../shared/stores/job-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import { createWebhookStore } from '../../shared/stores/webhook-store.ts';
import { fanOut } from '../../shared/use-cases/tell-webhooks.ts';
import { startWorker } from '../support/processes.ts';
import { silentLogger, uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';

type Brief = { id: string; type: string; answered: number | string };

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let redis: RedisClient;
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0, host: '127.0.0.1' });
  redis = connectRedis(inject('redisUrl'), 'worker', silentLogger);
});
afterAll(async () => {
  redis.disconnect();
  await sandbox.close();
});

/** What a process would have written before it died, step by step; nobody is there to go on. */
async function aScene() {
  const prefix = uniquePrefix();
  const keys = createKeys(prefix);
  const partitions = await agreeOnPartitions(redis, keys);
  const secret = randomBytes(32);
  const base = { redis, keys, partitions, clock: systemClock };
  const box = createSealedBox([{ id: 'k', key: secret }]);
  const written: { tag: number; id: string }[] = [];
  const jobs = createJobStore({
    ...base,
    ...{ retentionMs: 86_400_000, backlogLimit: 10, orphanMs: 1_000, replicas: 0 },
    events: {
      keptMs: async (_, to) => (jobEventOf(to) ? EVENT_KEPT_MS : undefined),
      written: (event) => written.push(event),
    },
  });
  const webhooks = createWebhookStore({ ...base, box });
  const inbox = prefix;
  const url = `${sandbox.origin}/receiver/${inbox}`;
  const { endpoint } = await webhooks.create({ workspace: 'w', url, events: ['*'], trutoSignature: false });
  const account = await createAccountStore({ ...base, box }).create({
    workspace: 'w',
    provider: 'close',
    name: 'c',
    settings: {},
    credentials: { type: 'api_key', api_key: 'k', base_url: `${sandbox.origin}/close` },
  });
  if (account === 'exists') throw new Error('a new account has the id of another');
  const deliveries = createDeliveryStore({ ...base, orphanMs: 1_000 });
  const queues = createAccountQueues({ ...base, logger: silentLogger });

  return {
    written,
    endpoint,
    deliveries,
    telling: {
      ...{ deliveries, queues, clock: systemClock, logger: silentLogger },
      events: createEventStore({ redis, keys }),
      endpoints: webhooks.list,
    },
    /** A job that was accepted and cancelled: its event is written, and no more. */
    async cancelled(): Promise<{ id: string; event: { tag: number; id: string } }> {
      const id = jobs.newId(account.id);
      await jobs.accept(id, {
        ...{ workspace: 'w', account: account.id, provider: 'close' },
        ...{
          request: { query: { response_format: 'unified' }, body: {} },
          appliedDefaults: {},
          warnings: [],
        },
      });
      const job = await jobs.find(id);
      const moved = job && (await jobs.move(job, { to: 'cancelled' }));
      const event = written.at(-1);
      if (moved?.kind !== 'moved' || !event)
        throw new Error(`not cancelled: ${JSON.stringify([job, moved, written])}`);
      return { id, event };
    },
    waiting: () =>
      redis.zrange(
        `${keys.queuePrefix(deliveries.partitionOf(endpoint.id))}:wh-${endpoint.id}:prioritized`,
        '0',
        '-1',
      ),
    setInbox: (rules: unknown[]) =>
      fetch(`${sandbox.origin}/_control/receiver`, {
        method: 'POST',
        body: JSON.stringify({ inbox, rules }),
      }),
    async received(): Promise<Brief[]> {
      const response = await fetch(`${sandbox.origin}/_control/receiver?inbox=${inbox}&brief=true`);
      return ((await response.json()) as { received: Brief[] }).received;
    },
    worker: () =>
      startWorker({
        redisUrl: inject('redisUrl'),
        prefix,
        env: { ENCRYPTION_KEYS: `k:${secret.toString('base64')}`, WEBHOOK_TIMEOUT_MS: '20000' },
      }),
  };
}

describe('what a dead process left behind is delivered', () => {
  it('an event without deliveries, and a delivery without its queue entry', async () => {
    const scene = await aScene();
    const [untold, unqueued] = [await scene.cancelled(), await scene.cancelled()];
    const lost = { addDelivery: async () => {}, ringDelivery: async () => {} };
    await fanOut({ ...scene.telling, queues: lost }, unqueued.event);
    expect(await scene.telling.events.left(unqueued.event.tag, Date.now(), 10)).toEqual([untold.event.id]);
    await using _worker = await scene.worker();
    const deliveries = await until('both are delivered', async () => {
      const page = await scene.deliveries.page(scene.endpoint.id, 0, 10);
      const delivered = page.filter((one) => one?.status === 'delivered');
      return delivered.length === 2 ? delivered : undefined;
    });
    const rounds = new Map(deliveries.map((one) => [one?.event, one?.round]));
    expect(rounds.get(untold.event.id)).toBe(1);
    expect(rounds.get(unqueued.event.id)).toBe(2);
    const received = await scene.received();
    expect(received.map(({ type, answered }) => [type, answered])).toEqual([
      ['job.cancelled', 200],
      ['job.cancelled', 200],
    ]);
  });

  it('a call whose worker was killed: again, with the same id', async () => {
    const scene = await aScene();
    await scene.setInbox([{ kind: 'hang', times: 1 }]);
    const { event } = await scene.cancelled();
    await fanOut(scene.telling, event);
    await using first = await scene.worker();
    await until('the call hangs', async () => (await scene.received()).length === 1);
    await first.kill();
    await using _second = await scene.worker();
    const both = await until('it came again', async () => {
      const received = await scene.received();
      return received.length === 2 ? received : undefined;
    });
    expect(both.map(({ answered }) => answered)).toEqual(['hang', 200]);
    expect(both[1]?.id).toBe(both[0]?.id);
  });
});

it('fanning an event out many times at once makes one delivery per endpoint, queued once', async () => {
  const scene = await aScene();
  const { event } = await scene.cancelled();
  await Promise.all(Array.from({ length: 20 }, () => fanOut(scene.telling, event)));
  const [delivery, ...more] = await scene.deliveries.page(scene.endpoint.id, 0, 10);
  expect(more).toEqual([]);
  expect(await scene.waiting()).toEqual([`${delivery?.id}.1`]);
});
