import type { Clock } from '../../shared/clock.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { ReadGate } from '../../shared/stores/gate-reading.ts';
import type { JobStore } from '../../shared/stores/job-store.ts';
import type { CancelDeps } from '../../shared/use-cases/cancel-job.ts';
import type { ReadImportDeps } from '../../shared/use-cases/read-import.ts';
import type { ResolveDeps } from '../../shared/use-cases/resolve-job.ts';
import type { RetryDeps } from '../../shared/use-cases/retry-job.ts';
import type { AccountReader } from '../find-account.ts';
import type { JobWaiter } from '../wait-for-job.ts';

/** What the routes of jobs need. */
export type JobsDeps = Omit<CancelDeps & RetryDeps & ResolveDeps, 'accounts' | 'jobs'> & {
  jobs: Pick<JobStore, 'find' | 'list' | 'move' | 'findByIdempotencyKey'>;
  accounts: AccountReader & RetryDeps['accounts'] & { list(workspace: string): Promise<Account[]> };
  imports: ReadImportDeps['imports'];
  rows: ReadImportDeps['rows'];
  /** A row's result follows its job; see use-cases/control-import.ts. */
  followRow: (jobId: string) => Promise<void>;
  waiter: Pick<JobWaiter, 'wait'>;
  readGate: ReadGate;
  clock: Clock;
};
