import type { Clock } from '../../shared/clock.ts';
import type { Epoch } from '../../shared/domain/epoch.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { Logger } from '../../shared/logger.ts';
import type { BatchDescriptor, BulkClient } from '../../shared/providers/batch-port.ts';
import type { Caller, CredentialsOf } from '../../shared/providers/caller.ts';
import type { ProviderClient, ProviderDescriptor } from '../../shared/providers/port.ts';
import type { AccountQueues } from '../../shared/queues/account-queues.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { ReadGate } from '../../shared/stores/gate-reading.ts';
import type { ImportBatchStore } from '../../shared/stores/import-batch-store.ts';
import type { ImportBulkStore } from '../../shared/stores/import-bulk-store.ts';
import type { ImportRowStore } from '../../shared/stores/import-row-store.ts';
import type { ImportStore } from '../../shared/stores/import-store.ts';
import type { JobStore } from '../../shared/stores/job-store.ts';
import type { FinishDeps } from '../../shared/use-cases/finish-import.ts';

export type FeederDeps = FinishDeps & {
  imports: Pick<ImportStore, 'find' | 'move' | 'expire' | 'lookFrom'>;
  rows: ImportRowStore;
  batches: ImportBatchStore;
  bulks: ImportBulkStore;
  jobs: Pick<JobStore, 'find' | 'move'>;
  queues: Pick<AccountQueues, 'add' | 'remove'>;
  accounts: {
    get(id: string): Promise<Account | undefined>;
    facts(id: string): Promise<AccountFacts | undefined>;
    putFacts(id: string, facts: AccountFacts): Promise<void>;
    /** The grant is dead: park the account, its queue kept. */
    parkForReauth(account: Account, message: string): Promise<void>;
  };
  descriptorOf: (provider: Account['provider']) => ProviderDescriptor;
  batchOf: (provider: Account['provider']) => BatchDescriptor | undefined;
  bulkOf: (provider: Account['provider']) => BulkClient | undefined;
  clientOf: (provider: Account['provider']) => Pick<ProviderClient, 'fetchFacts'>;
  caller: Caller;
  credentialsOf: CredentialsOf;
  /** The provider's clock at `nowMs` of ours. */
  providerTime: (account: string, nowMs: number) => number;
  random: () => number;
  /** Imports accepted before it may be older than the provider's truth. */
  epoch: () => Epoch;
  readGate: ReadGate;
  clock: Clock;
  logger: Logger;
};
