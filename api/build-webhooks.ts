import type { Clock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/logger.ts';
import { createTargetChecker } from '../shared/outbound-policy/check-target.ts';
import type { AccountQueues } from '../shared/queues/account-queues.ts';
import type { RedisClient } from '../shared/redis/connect.ts';
import type { Keys } from '../shared/redis/keys.ts';
import type { Shutdown } from '../shared/shutdown.ts';
import { createDeliveryStore } from '../shared/stores/delivery-store.ts';
import { createEventStore } from '../shared/stores/event-store.ts';
import type { SealedBox } from '../shared/stores/sealed-box.ts';
import { createWebhookCache } from '../shared/stores/webhook-cache.ts';
import { createWebhookStore } from '../shared/stores/webhook-store.ts';
import type { WebhookDeps } from '../shared/use-cases/manage-webhooks.ts';
import { createWebhookTeller, fanOut, type WebhookTeller } from '../shared/use-cases/tell-webhooks.ts';

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
  shutdown: Shutdown;
};

/** Everything of the API that has to do with webhooks: endpoints, and telling them of what the API itself writes. */
export function buildWebhooks(parts: BuildWebhooks): WebhookDeps & { teller: WebhookTeller } {
  const { config, redis, subscriber, keys, partitions, queues, clock, logger, shutdown } = parts;
  const webhooks = createWebhookStore({ redis, keys, box: parts.box, clock });
  const cache = shutdown.own(
    'webhook cache',
    createWebhookCache({ store: webhooks, subscriber, keys }),
    (c) => c.close(),
  );
  const deliveries = createDeliveryStore({ redis, keys, partitions, clock, orphanMs: config.orphanMs });
  const telling = {
    ...{ deliveries, queues, clock, logger },
    events: createEventStore({ redis, keys }),
    endpoints: cache.list,
  };
  const teller = shutdown.own('webhook fan-out', createWebhookTeller(telling), (t) => t.idle());
  const policy = { allowPrivate: config.webhookAllowPrivate, ports: config.webhookPorts };
  return {
    ...{ webhooks, deliveries, queues, teller, clock, logger },
    fanOut: (ref) => fanOut(telling, ref),
    targets: createTargetChecker(policy),
  };
}
