import type { Clock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import type { Logger } from '../shared/logger.ts';
import { createProviderPolicy } from '../shared/outbound-policy/provider-policy.ts';
import { type Caller, type CredentialsOf, createCaller } from '../shared/providers/caller.ts';
import { clients } from '../shared/providers/clients.ts';
import { descriptors } from '../shared/providers/descriptors.ts';
import { createGate } from '../shared/providers/gate.ts';
import { createGiveWay } from '../shared/providers/give-way.ts';
import { createPlaces } from '../shared/providers/places.ts';
import { createProviderClock, type ProviderClock } from '../shared/providers/provider-clock.ts';
import { createSender } from '../shared/providers/send.ts';
import { createTokenRefresher } from '../shared/providers/token-refresh.ts';
import { createTokenSender } from '../shared/providers/token-sender.ts';
import { createUrlAllowlist } from '../shared/providers/url-allowlist.ts';
import type { RedisClient } from '../shared/redis/connect.ts';
import type { Keys } from '../shared/redis/keys.ts';
import type { Shutdown } from '../shared/shutdown.ts';
import type { AccountStore } from '../shared/stores/account-store.ts';
import type { StoppedAccounts } from '../shared/stores/stopped-accounts.ts';
import { createCallMeter } from './call-meter.ts';
import { createOutageTeller } from './tell-outage.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

export type CallerParts = {
  config: Config;
  logger: Logger;
  shutdown: Shutdown;
  clock: Clock;
  redis: RedisClient;
  subscriber: RedisClient;
  keys: Keys;
  partitions: number;
  processId: string;
  store: AccountStore;
  credentialsOf: CredentialsOf;
  stopped: StoppedAccounts;
  metrics: WorkerMetrics;
};

/** Everything a call to a provider passes, put together: allow-list, gate, places, tokens, and the provider's clock. */
export function buildCaller(parts: CallerParts): { caller: Caller; providerClock: ProviderClock } {
  const { config, logger, shutdown, clock, redis, keys, partitions, store } = parts;
  const vendorOrigins = Object.values(descriptors).flatMap(({ allowedOrigins }) => allowedOrigins);
  const allowlist = config.providerUrlAllowlist ?? vendorOrigins;
  const isAllowed = createUrlAllowlist(allowlist);
  const { send } = shutdown.own(
    'provider connections',
    createSender({
      isAllowed,
      outbound: createProviderPolicy(allowlist),
      clock,
    }),
    (sender) => sender.close(),
  );
  const { stopped, metrics } = parts;
  const gate = createGate({ redis, keys, partitions, processId: parts.processId });
  const giveWay = createGiveWay();
  parts.subscriber.on('message', (channel: string, account: string) => {
    if (channel === keys.makeWay) giveWay.ask(account);
  });
  // Missed ones cost a single create a moment: what waits in place does so for half a second.
  parts.subscriber.subscribe(keys.makeWay).catch((err) => logger.warn({ err }, 'make_way.unheard'));
  const places = createPlaces(config.workerConcurrency);
  metrics.watchPlaces(places.state);
  const refresher = shutdown.own(
    'token refreshes',
    createTokenRefresher({
      store,
      redis,
      keys,
      partitions,
      clock,
      logger,
      clients: (provider) => clients[provider],
      isAllowed,
      send: createTokenSender({ gate, send, places, clock }),
    }),
    (r) => r.idle(),
  );
  const providerClock = createProviderClock();
  const { credentialsOf } = parts;
  return {
    caller: createCaller({
      ...{ gate, giveWay, send, places, credentialsOf, refresher, clock, providerClock },
      onCircuit: createOutageTeller({ store, stopped, clock, logger }),
      meter: createCallMeter({ stopped, metrics, clock }),
    }),
    providerClock,
  };
}
