import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { AccountQueues } from '../../shared/queues/account-queues.ts';
import type { RedisClient } from '../../shared/redis/connect.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { Shutdown } from '../../shared/shutdown.ts';
import type { AccountStore } from '../../shared/stores/account-store.ts';
import type { ImportStore } from '../../shared/stores/import-store.ts';
import type { JobStore } from '../../shared/stores/job-store.ts';
import type { AccountImports } from '../../shared/use-cases/account-access.ts';
import { finishAbandonedDeletions } from '../../shared/use-cases/delete-account.ts';
import { every } from './every.ts';
import { expireIndexes } from './expire-indexes.ts';
import { type ImportSweepDeps, requeueImports } from './requeue-imports.ts';
import { requeueOrphans } from './requeue-orphans.ts';

export type SweepDeps = {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  processId: string;
  jobs: JobStore;
  queues: AccountQueues;
  store: AccountStore;
  imports: ImportSweepDeps['imports'] & Pick<ImportStore, 'dropExpired'>;
  /** Of one account, for deleting it. */
  accountImports: AccountImports;
  idleMs: number;
  clock: Clock;
  logger: Logger;
  shutdown: Shutdown;
  sweepMs: number;
  /** How long a record lives after its end. */
  retentionMs: number;
  /** Attaches every queue that is due. */
  attachDue: () => Promise<void>;
};

const HEARTBEAT_MS = 2_000;
const DELETIONS_MS = 60_000;
const EXPIRY_MS = 3_600_000;

/** Starts what heals the traces of crashes; each ends with the process, the last one started first. */
export function startSweeps(deps: SweepDeps): void {
  const { redis, keys, processId, shutdown, logger, sweepMs } = deps;
  shutdown.own(
    'heartbeat',
    every(HEARTBEAT_MS, 'heartbeat', logger, () => redis.zadd(keys.workers, Date.now(), processId)),
    async (sweep) => {
      await sweep.stop();
      if (redis.status === 'ready') await redis.zrem(keys.workers, processId);
    },
  );
  const sweeps: [name: string, periodMs: number, task: () => Promise<unknown>][] = [
    ['attach', sweepMs, deps.attachDue],
    ['orphans', sweepMs, () => requeueOrphans(deps)],
    ['imports', sweepMs, () => requeueImports(deps)],
    [
      'deletions',
      DELETIONS_MS,
      () =>
        eachPartition(deps, (p) => finishAbandonedDeletions({ ...deps, imports: deps.accountImports }, p)),
    ],
    ['expire', EXPIRY_MS, () => eachPartition(deps, (p) => expirePartition(deps, p))],
  ];
  for (const [name, periodMs, task] of sweeps) {
    shutdown.own(`${name} sweep`, every(periodMs, name, logger, task), (sweep) => sweep.stop());
  }
}

async function eachPartition(deps: SweepDeps, task: (partition: number) => Promise<void>): Promise<void> {
  for (let p = 0; p < deps.partitions; p++) await task(p);
}

async function expirePartition(deps: SweepDeps, partition: number): Promise<void> {
  const { redis, keys, store, imports } = deps;
  const bornBeforeMs = deps.clock.nowMs() - deps.retentionMs;
  for (const account of await store.listPartition(partition)) {
    let after: string | undefined;
    do after = await expireIndexes(redis, keys, partition, account, after, bornBeforeMs);
    while (after);
    await imports.dropExpired(account);
  }
}
