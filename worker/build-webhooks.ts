import type { Clock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/logger.ts';
import type { AccountQueues } from '../shared/queues/account-queues.ts';
import type { RedisClient } from '../shared/redis/connect.ts';
import type { Keys } from '../shared/redis/keys.ts';
import type { Shutdown } from '../shared/shutdown.ts';
import { createDeliveryStore } from '../shared/stores/delivery-store.ts';
import { createEventStore } from '../shared/stores/event-store.ts';
import type { SealedBox } from '../shared/stores/sealed-box.ts';
import { createWebhookCache } from '../shared/stores/webhook-cache.ts';
import { createWebhookStore } from '../shared/stores/webhook-store.ts';
import { createWebhookTeller, fanOut } from '../shared/use-cases/tell-webhooks.ts';
import { createPoster } from './deliver-webhook/post.ts';
import { createDeliverer } from './deliver-webhook/processor.ts';
import { every } from './sweep/every.ts';
import { fanOutLeft, requeueDeliveries } from './sweep/fan-out-events.ts';
import type { WorkerMetrics } from './worker-metrics.ts';
import { persist } from './write-opportunity/persist.ts';

export type BuildWebhooks = {
  config: Config;
  redis: RedisClient;
  subscriber: RedisClient;
  keys: Keys;
  partitions: number;
  queues: AccountQueues;
  box: SealedBox;
  clock: Clock;
  logger: Logger;
  metrics: WorkerMetrics;
  shutdown: Shutdown;
};

/** Everything of the worker that tells webhook endpoints: who is told, what sends, and the sweeps that heal. */
export function buildWebhooks(parts: BuildWebhooks) {
  const { config, redis, subscriber, keys, partitions, queues, clock, logger, shutdown } = parts;
  const store = createWebhookStore({ redis, keys, box: parts.box, clock });
  const cache = shutdown.own('webhook cache', createWebhookCache({ store, subscriber, keys }), (c) =>
    c.close(),
  );
  const events = createEventStore({ redis, keys });
  const deliveries = createDeliveryStore({ redis, keys, partitions, clock, orphanMs: config.orphanMs });
  const telling = { events, endpoints: cache.list, deliveries, queues, clock, logger };
  const teller = shutdown.own('webhook fan-out', createWebhookTeller(telling), (t) => t.idle());
  const policy = { allowPrivate: config.webhookAllowPrivate, ports: config.webhookPorts };
  const poster = shutdown.own(
    'webhook connections',
    createPoster({ policy, timeoutMs: config.webhookTimeoutMs }),
    (p) => p.close(),
  );
  const deliver = createDeliverer({
    deliveries,
    events,
    endpoints: {
      get: cache.get,
      secrets: cache.secrets,
      callbackSecret: store.callbackSecret,
      async disable(id, reason) {
        const disabled = await store.disable(id, reason);
        if (!disabled) return;
        logger.warn({ endpoint_id: id, reason }, 'webhook_endpoint.disabled');
        if (disabled.event) teller.written(disabled.event);
      },
    },
    post: poster.post,
    persist,
    scheduleMs: config.webhookRetrySeconds.map((seconds) => seconds * 1_000),
    clock,
    random: Math.random,
    logger,
    onTry: parts.metrics.onDelivery,
  });

  /** Begins the sweeps; call it when queues have their workers. */
  function startSweeps(): void {
    const sweeping = { partitions, events, deliveries, queues, clock, logger };
    const fanOutOne = (ref: Parameters<typeof fanOut>[1]) => fanOut(telling, ref);
    shutdown.own(
      'event sweep',
      every(config.sweepMs, 'events', logger, () => fanOutLeft({ ...sweeping, fanOut: fanOutOne })),
      (sweep) => sweep.stop(),
    );
    shutdown.own(
      'delivery sweep',
      every(config.sweepMs, 'deliveries', logger, () => requeueDeliveries(sweeping)),
      (sweep) => sweep.stop(),
    );
  }
  return { teller, deliver, startSweeps };
}
