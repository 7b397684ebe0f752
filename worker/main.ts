import { hostname } from 'node:os';
import { systemClock, toIso } from '../shared/clock.ts';
import { type Config, loadConfig } from '../shared/config.ts';
import { createSecret } from '../shared/ids.ts';
import { createLogger, type Logger } from '../shared/logger.ts';
import { batches } from '../shared/providers/batches.ts';
import { bulkClients } from '../shared/providers/bulk-clients.ts';
import { clients } from '../shared/providers/clients.ts';
import { descriptors } from '../shared/providers/descriptors.ts';
import { paceOf } from '../shared/providers/pace.ts';
import { createAccountQueues } from '../shared/queues/account-queues.ts';
import { isImportMessage, QueryMessage, WriteMessage } from '../shared/queues/messages.ts';
import { closeRedis, connectEngine, connectRedis, waitUntilReady } from '../shared/redis/connect.ts';
import { demandDurability } from '../shared/redis/durability.ts';
import { createKeys } from '../shared/redis/keys.ts';
import { agreeOnPartitions } from '../shared/redis/partitions.ts';
import { runProcess } from '../shared/run-process.ts';
import type { Shutdown } from '../shared/shutdown.ts';
import { createAccountCache } from '../shared/stores/account-cache.ts';
import { type Account, createAccountStore } from '../shared/stores/account-store.ts';
import { createEpochStore } from '../shared/stores/epoch-store.ts';
import { createGateReader } from '../shared/stores/gate-reading.ts';
import { createImportBatchStore } from '../shared/stores/import-batch-store.ts';
import { createImportBulkStore } from '../shared/stores/import-bulk-store.ts';
import { createImportRowStore } from '../shared/stores/import-row-store.ts';
import { createImportStore } from '../shared/stores/import-store.ts';
import { createJobStore } from '../shared/stores/job-store.ts';
import { createSealedBox } from '../shared/stores/sealed-box.ts';
import { createStoppedAccounts } from '../shared/stores/stopped-accounts.ts';
import { createUnknownStore } from '../shared/stores/unknown-store.ts';
import { accountEvent } from '../shared/use-cases/account-event.ts';
import { endImport, followRow } from '../shared/use-cases/control-import.ts';
import { followStatus } from '../shared/use-cases/follow-status.ts';
import { answerQuery } from './answer-queries/processor.ts';
import { QueueAttacher } from './attach-accounts.ts';
import { buildCaller } from './build-caller.ts';
import { buildWebhooks } from './build-webhooks.ts';
import { serveHealth } from './health.ts';
import { DONE } from './next-step.ts';
import { createFeeder } from './run-import/processor.ts';
import { every } from './sweep/every.ts';
import { startSweeps } from './sweep/start-sweeps.ts';
import { createWorkerMetrics } from './worker-metrics.ts';
import { createWriter } from './write-opportunity/processor.ts';
import { createTakeClaim } from './write-opportunity/take-claim.ts';

/**
 * Composition root of the background process: the only place here that reads config and opens connections. A list of parts in the order
 * in which they need each other; what is long about it is their number.
 */
await runProcess(() => {
  const config = loadConfig(['redisUrl', 'encryptionKeys']);
  return { config, logger: createLogger('worker', config.logLevel) };
}, start);

async function start(config: Config, logger: Logger, shutdown: Shutdown): Promise<void> {
  const clock = systemClock;
  const keys = createKeys(config.redisPrefix);
  const processId = `${hostname()}.${process.pid}.${createSecret(4)}`;
  // Both were demanded above.
  const redisUrl = config.redisUrl as string;
  const sealingKeys = config.encryptionKeys as NonNullable<typeof config.encryptionKeys>;

  const redis = shutdown.own('redis', connectRedis(redisUrl, 'worker', logger), closeRedis);
  const engine = shutdown.own('engine connection', connectEngine(redisUrl, logger), closeRedis);
  const subscriber = shutdown.own('subscriber', connectRedis(redisUrl, 'worker', logger), closeRedis);
  await waitUntilReady(redis, redisUrl, 10_000);
  await demandDurability(redis, config.durability);
  const partitions = await agreeOnPartitions(redis, keys);

  const retentionMs = config.jobRetentionDays * 86_400_000;
  const box = createSealedBox(sealingKeys);
  const metrics = createWorkerMetrics();
  const queues = shutdown.own(
    'queues',
    createAccountQueues({ redis, connection: engine, keys, partitions, logger }),
    (q) => q.close(),
  );
  const webhooks = buildWebhooks({
    ...{ config, redis, subscriber, keys, partitions, queues, box, clock, logger, metrics, shutdown },
  });
  const jobs = createJobStore({
    redis,
    keys,
    partitions,
    clock,
    retentionMs,
    backlogLimit: config.backlogLimit,
    orphanMs: config.orphanMs,
    replicas: config.durabilityReplicas,
    events: webhooks.teller.jobEvents,
  });
  const epochs = createEpochStore({ redis, keys });
  if (config.restored) await epochs.begin(clock.nowMs(), 'restored');
  else await epochs.read();
  // Only where another server can take over: a single one that restarts from its own AOF has lost nothing.
  if (config.durabilityReplicas > 0 || redisUrl.startsWith('redis+sentinel:')) {
    const watch = async () => {
      if (await epochs.watch(clock.nowMs())) logger.warn(epochs.current(), 'epoch.began');
    };
    // At once where the connection is new: what runs now should know.
    redis.on('ready', () => void watch().catch(() => {}));
    shutdown.own('epoch watch', every(2_000, 'epoch', logger, watch), (sweep) => sweep.stop());
  }
  const unknowns = createUnknownStore({ redis, keys, clock, retentionMs });
  const onEvent = webhooks.teller.written;
  const store = createAccountStore({ redis, keys, partitions, clock, box, onEvent });
  const accounts = shutdown.own('account cache', createAccountCache({ store, subscriber, keys }), (cache) =>
    cache.close(),
  );

  const stopped = createStoppedAccounts({ redis, keys });
  metrics.watchStopped(stopped.count, clock.nowMs);
  const { caller, providerClock } = buildCaller({
    stopped,
    metrics,
    config,
    logger,
    shutdown,
    clock,
    redis,
    subscriber,
    keys,
    partitions,
    processId,
    store,
    credentialsOf: accounts.credentials,
  });
  const readGate = createGateReader({ redis, keys, partitions });
  const accountEvents = {
    teller: webhooks.teller,
    readGate,
    jobs,
    clock,
  };

  async function parkForReauth(account: Account, message: string): Promise<void> {
    const lastError = { code: 'account_needs_reauth', message, at: toIso(clock.nowMs()) };
    const parked = await store.setStatus(account.id, 'needs_reauth', {
      from: ['active'],
      lastError,
      ifCredentialsVersion: account.credentialsVersion,
      event: await accountEvent(accountEvents, account, { status: 'needs_reauth', lastError }),
    });
    if (!parked) return;
    await followStatus({ store, queues }, account.id);
    logger.warn(
      { account_id: account.id, provider: account.provider, reason: message },
      'account.needs_reauth',
    );
  }

  const imports = createImportStore({
    ...{ redis, keys, partitions, clock, retentionMs, onEvent },
    orphanMs: config.orphanMs,
    idleMs: config.importIdleMs,
    replicas: config.durabilityReplicas,
  });
  const rows = createImportRowStore({ redis, keys, clock, retentionMs, orphanMs: config.orphanMs });
  const writer = createWriter({
    factsUnderWay: new Map(),
    jobs,
    unknowns: { ...unknowns, takeClaim: createTakeClaim({ unknowns, jobs, queues, logger }) },
    epoch: epochs.current,
    accounts: { get: accounts.get, facts: accounts.facts, putFacts: store.putFacts, parkForReauth },
    credentialsOf: accounts.credentials,
    caller,
    descriptorOf: (provider) => descriptors[provider],
    clientOf: (provider) => clients[provider],
    clock,
    providerTime: providerClock.at,
    random: Math.random,
    logger,
    onAttempt: metrics.onAttempt,
    followRow: (jobId) => followRow({ imports, rows, jobs, queues }, jobId),
  });

  const feeder = createFeeder({
    ...{ imports, rows, jobs, queues, readGate, caller, clock, logger },
    credentialsOf: accounts.credentials,
    accounts: { get: accounts.get, facts: accounts.facts, putFacts: store.putFacts, parkForReauth },
    batches: createImportBatchStore({ redis, keys, clock, retentionMs }),
    bulks: createImportBulkStore({ redis, keys, clock }),
    batchOf: (provider) => batches[provider],
    bulkOf: (provider) => bulkClients[provider],
    clientOf: (provider) => clients[provider],
    providerTime: providerClock.at,
    random: Math.random,
    teller: webhooks.teller,
    epoch: epochs.current,
    descriptorOf: (provider) => descriptors[provider],
  });

  const attacher = shutdown.own(
    'queue workers',
    new QueueAttacher({
      redis,
      connection: engine,
      subscriber,
      keys,
      partitions,
      queues,
      logger,
      accountOf: store.get,
      concurrencyOf: (account) => paceOf(descriptors[account.provider], account.settings).concurrency,
      write: (message, signal) =>
        isImportMessage(message) ? feeder(message, signal) : writer(message, signal),
      answerQuery: async (message) => {
        await answerQuery(QueryMessage.parse(message), {
          redis,
          keys,
          partitions,
          store,
          clock,
          logger,
          credentialsOf: accounts.credentials,
          clients: (provider) => clients[provider],
          descriptors: (provider) => descriptors[provider],
          call: (account) => caller(account),
        });
        return DONE;
      },
      deliver: webhooks.deliver,
      onFailed(message) {
        const { data } = WriteMessage.safeParse(message);
        // Redis may refuse this, too; then the sweep finds the job at the time it had set itself.
        if (data) jobs.lookSoon(data.job).catch(() => {});
      },
      lockMs: config.lockMs,
      stalledMs: config.stalledMs,
    }),
    (a) => a.stop(),
  );
  metrics.watchQueues(() => attacher.size);
  await attacher.listen();

  startSweeps({
    redis,
    keys,
    partitions,
    processId,
    jobs,
    queues,
    store,
    clock,
    logger,
    shutdown,
    imports,
    accountImports: {
      open: imports.open,
      cancel: (id) => endImport({ imports, rows, jobs, queues, teller: webhooks.teller, clock }, id),
    },
    idleMs: config.importIdleMs,
    sweepMs: config.sweepMs,
    retentionMs,
    attachDue: () => attacher.sweep(),
  });
  webhooks.startSweeps();

  if (config.workerHealthPort !== undefined) {
    const health = await serveHealth({
      port: config.workerHealthPort,
      host: config.host,
      redis,
      metrics,
      attached: () => attacher.size,
    });
    shutdown.own('health', health, (server) => server.close());
  }
  logger.info({ process_id: processId, partitions, concurrency: config.workerConcurrency }, 'worker.started');
}
