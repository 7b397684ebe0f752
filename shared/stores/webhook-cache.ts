import type { WebhookEndpoint } from '../domain/webhook.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { createShortCache } from './short-cache.ts';
import type { SigningSecret, WebhookStore } from './webhook-store.ts';

/** Endpoints in memory: a copy lives at most 2 s and is dropped at once when any process changes one. */
export function createWebhookCache(deps: {
  store: Pick<WebhookStore, 'list' | 'get' | 'secrets'>;
  /** A connection in subscriber mode, shared with others; the caller owns it. */
  subscriber: RedisClient;
  keys: Keys;
}) {
  const { store, subscriber, keys } = deps;
  const kept = {
    list: createShortCache<WebhookEndpoint[]>((workspace) => store.list(workspace)),
    endpoint: createShortCache<WebhookEndpoint | undefined>((id) => store.get(id)),
    secrets: createShortCache<SigningSecret[]>((id) => store.secrets(id)),
  };
  const onMessage = (channel: string, message: string) => {
    if (channel !== keys.webhooksChanged) return;
    const [workspace = '', id = ''] = message.split(' ');
    kept.list.drop(workspace);
    kept.endpoint.drop(id);
    kept.secrets.drop(id);
  };
  subscriber.on('message', onMessage);
  // Without it copies still end by age; the connection's own error handler reports why.
  subscriber.subscribe(keys.webhooksChanged).catch(() => {});
  return {
    list: kept.list.get,
    get: kept.endpoint.get,
    secrets: kept.secrets.get,
    close(): void {
      subscriber.off('message', onMessage);
    },
  };
}
