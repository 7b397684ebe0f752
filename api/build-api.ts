import type { Express } from 'express';
import type { Clock } from '../shared/clock.ts';
import type { Config } from '../shared/config.ts';
import type { AccountFacts } from '../shared/domain/integrated-account.ts';
import { readRows } from '../shared/imports/read-rows.ts';
import type { Logger } from '../shared/logger.ts';
import { createAcceptMetrics, createHttpMetrics, createRegistry } from '../shared/metrics.ts';
import { batches } from '../shared/providers/batches.ts';
import { descriptorOf } from '../shared/providers/descriptors.ts';
import { createAccountQueries } from '../shared/queues/account-queries.ts';
import { createAccountQueues } from '../shared/queues/account-queues.ts';
import { connectRedis, type RedisClient, waitUntilReady } from '../shared/redis/connect.ts';
import { countReplicas, demandDurability, readDurability } from '../shared/redis/durability.ts';
import { createKeys } from '../shared/redis/keys.ts';
import { agreeOnPartitions } from '../shared/redis/partitions.ts';
import { createStoreGuard } from '../shared/redis/store-guard.ts';
import type { Shutdown } from '../shared/shutdown.ts';
import { createAccountCache } from '../shared/stores/account-cache.ts';
import { type Account, createAccountStore } from '../shared/stores/account-store.ts';
import { createGateReader } from '../shared/stores/gate-reading.ts';
import { createImportRowStore } from '../shared/stores/import-row-store.ts';
import { createImportStore } from '../shared/stores/import-store.ts';
import { createJobStore } from '../shared/stores/job-store.ts';
import { createSealedBox } from '../shared/stores/sealed-box.ts';
import { createTokenCache, createTokenLimiter, createTokenStore } from '../shared/stores/token-store.ts';
import { createAskFacts } from '../shared/use-cases/ask-facts.ts';
import { endImport, followRow } from '../shared/use-cases/control-import.ts';
import { createJobFinder } from '../shared/use-cases/read-import.ts';
import { createApp } from './app.ts';
import { buildWebhooks } from './build-webhooks.ts';
import { createGuard } from './middleware/authenticate.ts';
import { BODY_BYTES_MAX } from './middleware/read-body.ts';
import { createAdminQueues } from './routes/admin-queues.ts';
import { serveApiTokens } from './routes/api-tokens.ts';
import { serveImports } from './routes/imports.ts';
import { serveIntegratedAccounts } from './routes/integrated-accounts.ts';
import { serveMeta } from './routes/meta.ts';
import { serveWebhooks } from './routes/webhook-endpoints.ts';
import { createLimitTeller } from './tell-limits.ts';
import { createJobWaiter, type JobWaiter } from './wait-for-job.ts';

const DAY_MS = 86_400_000;
const REDIS_READY_MS = 10_000;
const STORE_CHECK_MS = 1_000;

/**
 * Opens connections, checks that Redis keeps what it acknowledges, and puts the parts together.
 * Everything opened is owned by `shutdown`; `letGo` lets those go who wait for jobs or follow imports.
 */
export async function buildApi(
  config: Config,
  logger: Logger,
  shutdown: Shutdown,
  clock: Clock,
): Promise<{ app: Express; waiter: JobWaiter; letGo: () => void }> {
  const url = config.redisUrl ?? '';
  const connect = (name: string) =>
    shutdown.own(name, connectRedis(url, 'producer', logger), (client) => client.disconnect());
  const redis = connect('redis');
  const subscriber = connect('redis subscriber');
  await Promise.all([
    waitUntilReady(redis, url, REDIS_READY_MS),
    waitUntilReady(subscriber, url, REDIS_READY_MS),
  ]);
  const durability = await demandDurability(redis, config.durability);
  if (durability.found !== 'strict')
    logger.warn({ ...durability, demanded: config.durability }, 'redis.durability');

  const keys = createKeys(config.redisPrefix);
  const partitions = await agreeOnPartitions(redis, keys);
  const base = { redis, keys, partitions, clock };
  const queues = shutdown.own('queues', createAccountQueues({ ...base, logger }), (q) => q.close());
  const box = createSealedBox(config.encryptionKeys ?? []);
  const webhooks = buildWebhooks({ ...base, config, subscriber, queues, box, logger, shutdown });
  const { teller } = webhooks;
  const jobs = createJobStore({
    ...base,
    retentionMs: config.jobRetentionDays * DAY_MS,
    backlogLimit: config.backlogLimit,
    orphanMs: config.orphanMs,
    replicas: config.durabilityReplicas,
    events: teller.jobEvents,
  });
  const store = createAccountStore({ ...base, box, onEvent: teller.written });
  const cache = shutdown.own('account cache', createAccountCache({ store, subscriber, keys }), (c) =>
    c.close(),
  );
  const tokens = createTokenStore({ redis, keys, clock });
  const tokenCache = shutdown.own('token cache', createTokenCache({ store: tokens, subscriber, keys }), (c) =>
    c.close(),
  );
  const queries = shutdown.own('queries', createAccountQueries({ ...base, subscriber, queues }), (q) =>
    q.close(),
  );
  const timing = { retentionMs: config.jobRetentionDays * DAY_MS, orphanMs: config.orphanMs };
  const imports = createImportStore({
    ...base,
    ...timing,
    idleMs: config.importIdleMs,
    replicas: config.durabilityReplicas,
    onEvent: teller.written,
  });
  const rows = createImportRowStore({ ...base, ...timing });
  const findJob = createJobFinder({ imports, rows, jobs });
  const waiter = shutdown.own(
    'waiter',
    createJobWaiter({ subscriber, channelOf: keys.done, find: findJob }),
    (w) => w.close(),
  );

  const guard = createStoreGuard({ redis, demanded: config.durability, logger });
  const watch = setInterval(() => guard.check().catch(() => {}), STORE_CHECK_MS);
  shutdown.own('store guard', watch, clearInterval);

  const registry = createRegistry('api');
  const readGate = createGateReader(base);
  const accounts = { get: cache.get, facts: cache.facts, list: store.list };
  const tellLimits = createLimitTeller({ readGate, clock });
  const askFacts = createAskFacts({ queries, clock });
  const parts = { jobs, queues, queries, askFacts, descriptorOf, clock, waiter, readGate, tellLimits };
  const importing = { ...parts, imports, rows, teller };
  const closing = new AbortController();
  const app = createApp({
    logger,
    httpMetrics: createHttpMetrics(registry),
    guard: createGuard({
      adminToken: config.adminToken ?? '',
      tokens: tokenCache,
      limit: createTokenLimiter({ redis, keys }),
      clock,
    }),
    opportunities: {
      ...parts,
      accounts,
      metrics: createAcceptMetrics(registry),
      baseUrlOf: createBaseUrlReader(store),
      defaultWaitSeconds: config.defaultWaitSeconds,
      targets: webhooks.targets,
      storeTrouble: guard.trouble,
    },
    jobs: {
      ...parts,
      jobs: { ...jobs, find: findJob },
      ...{ accounts, imports, rows },
      followRow: (jobId) => followRow(importing, jobId),
    },
    health: {
      readDurability: () => readDurability(redis),
      countReplicas: () => countReplicas(redis),
      isStoreFull: guard.isFull,
      lastWorkerSeenMs: () => lastSeen(redis, keys.workers),
      durability: { demanded: config.durability, replicas: config.durabilityReplicas },
      registry,
      clock,
    },
    adminQueues: shutdown.own('admin queues', createAdminQueues(base), (board) => board.close()),
    more: [
      (serve) =>
        serveIntegratedAccounts(serve, {
          ...parts,
          store,
          teller,
          imports: { open: imports.open, cancel: (id) => endImport(importing, id) },
          urlAllowlist: config.providerUrlAllowlist,
        }),
      (serve) =>
        serveImports(serve, {
          ...{ ...importing, accounts, readRows, closing: closing.signal },
          batchOf: (provider) => batches[provider],
          liveFacts: async (account) => {
            const answer = await queries.ask(account, { kind: 'facts' });
            // The worker's own answer to this question.
            return answer.ok ? (answer.value as AccountFacts) : cache.facts(account.id);
          },
          storeTrouble: guard.trouble,
          idleMs: config.importIdleMs,
          limits: {
            rowsMax: config.importRowsMax,
            bytesMax: config.importBytesMax,
            rowBytesMax: BODY_BYTES_MAX,
          },
        }),
      (serve) => serveMeta(serve, { store, queries, descriptorOf, clock, tellLimits }),
      (serve) => serveWebhooks(serve, webhooks),
      (serve) => serveApiTokens(serve, { tokens, clock }),
    ],
  });
  const letGo = () => {
    waiter.close();
    closing.abort();
  };
  return { app, waiter, letGo };
}

/** Only the address leaves this function: a dry run shows where a request would go, never with what. */
function createBaseUrlReader(store: ReturnType<typeof createAccountStore>) {
  return async (account: Account): Promise<string> => {
    const stored = await store.credentials(account.id);
    return stored === undefined
      ? ''
      : descriptorOf(account.provider).baseUrl(stored.credentials, account.settings);
  };
}

async function lastSeen(redis: RedisClient, key: string): Promise<number | undefined> {
  const [, score] = await redis.zrevrange(key, 0, 0, 'WITHSCORES');
  return score === undefined ? undefined : Number(score);
}
