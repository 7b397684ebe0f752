import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, toJobError } from '../app-error.ts';
import type { JobRecord, JobStatus } from '../domain/job.ts';
import type { Account } from '../stores/account-store.ts';
import type { AccountDeps } from './account-access.ts';
import { cancelJob } from './cancel-job.ts';
import { endUnsendable } from './end-unsendable.ts';
import { followStatus } from './follow-status.ts';

/** How long a request waits for jobs that have started; then the deletion goes on behind a 202. */
const WAIT_MS = 20_000;
const POLL_MS = 100;
const PAGE = 200;
/** A younger `deleting` may be an account whose marker is being verified, or a request that is still waiting. */
const ABANDONED_MS = 60_000;

export type Deletion = { kind: 'deleted' } | { kind: 'under_way'; account: Account };

/**
 * Deletes an account with its queue and credentials. With `cancel` it stops accepting, cancels what has not started and
 * waits for what has; jobs in `needs_review` stay as they are. Calling it again goes on where it was.
 * @throws AppError 409 `account_has_open_jobs` without `cancel`, when a job is open or needs review.
 */
export async function deleteAccount(
  deps: AccountDeps,
  account: Account,
  cancel: boolean,
  waitMs = WAIT_MS,
): Promise<Deletion> {
  if (!cancel) await assertNoOpenJobs(deps, account.id);
  const deleting = await deps.store.setStatus(account.id, 'deleting');
  if (!deleting) return { kind: 'deleted' };
  if (!cancel) {
    await assertNoOpenJobs(deps, account.id).catch(async (err) => {
      // A create came in between; it was accepted, so the account stays.
      if (account.status !== 'deleting') {
        await deps.store.setStatus(account.id, account.status, { from: ['deleting'] });
        await followStatus(deps, account.id);
      }
      throw err;
    });
  }
  // First: an import makes jobs.
  await cancelImports(deps, account.id);
  await cancelWaiting(deps, account.id);
  if (account.status === 'needs_reauth') await settleUnsendable(deps, account.id, () => true);
  if ((await countOpen(deps, account.id)) > 0) await followStatus(deps, account.id);
  const deadlineMs = deps.clock.nowMs() + waitMs;
  while (!(await finishDeletion(deps, deleting))) {
    if (deps.clock.nowMs() >= deadlineMs) return { kind: 'under_way', account: deleting };
    await sleep(POLL_MS);
  }
  return { kind: 'deleted' };
}

/**
 * Removes an account in `deleting` once nothing of it is open. Safe to repeat; for the sweep too.
 * @returns false while jobs are open.
 */
export async function finishDeletion(
  deps: Pick<AccountDeps, 'jobs' | 'queues' | 'store' | 'imports'>,
  account: Pick<Account, 'id'>,
): Promise<boolean> {
  if ((await countOpen(deps, account.id)) > 0) return false;
  if ((await deps.imports.open(account.id)).length > 0) {
    // Its rows have ended; so can the import.
    await cancelImports(deps, account.id);
    if ((await deps.imports.open(account.id)).length > 0) return false;
  }
  try {
    await deps.queues.obliterate(account.id);
  } catch (err) {
    // The engine pauses the queue first, and a worker that attached just now has set it going again.
    if (err instanceof Error && /non-paused queue/.test(err.message)) return false;
    throw err;
  }
  await deps.store.remove(account.id);
  return true;
}

/** Ends what requests left behind: deletions that outlasted them, and accounts whose marker was never verified. */
export async function finishAbandonedDeletions(
  deps: Pick<AccountDeps, 'jobs' | 'queues' | 'store' | 'clock' | 'imports'>,
  partition: number,
): Promise<void> {
  for (const id of await deps.store.listPartition(partition)) {
    const account = await deps.store.get(id);
    if (account?.status !== 'deleting') continue;
    if (deps.clock.nowMs() - account.updatedAtMs < ABANDONED_MS) continue;
    await cancelImports(deps, id);
    await cancelWaiting(deps, id);
    // Its grant died after the request was over: nobody will store another one.
    await settleUnsendable(deps, id, ({ waitReason }) => waitReason === 'account_needs_reauth');
    await finishDeletion(deps, account);
  }
}

async function countOpen(deps: Pick<AccountDeps, 'jobs'>, account: string): Promise<number> {
  const { waiting, running, delayed } = await deps.jobs.counts(account);
  return waiting + running + delayed;
}

async function assertNoOpenJobs(deps: AccountDeps, account: string): Promise<void> {
  const [open, imports, review] = await Promise.all([
    countOpen(deps, account),
    deps.imports.open(account),
    deps.jobs.list({ accounts: [account], statuses: ['needs_review'], withRows: true, limit: 1 }),
  ]);
  if (open === 0 && imports.length === 0 && review.jobs.length === 0) return;
  const inReview = review.jobs.length > 0 ? ' and jobs that need review' : '';
  throw new AppError(
    'account_has_open_jobs',
    `The account has ${open} open jobs, ${imports.length} open imports${inReview}. Wait, or delete with ?cancel=true.`,
  );
}

type Jobs = Pick<AccountDeps, 'jobs' | 'queues'>;

async function cancelImports(deps: Pick<AccountDeps, 'imports'>, account: string): Promise<void> {
  for (const id of await deps.imports.open(account)) await deps.imports.cancel(id);
}

async function* openJobs(deps: Jobs, account: string, statuses: JobStatus[]): AsyncGenerator<JobRecord> {
  let cursor: string | undefined;
  do {
    const page = await deps.jobs.list({
      accounts: [account],
      statuses,
      withRows: true,
      limit: PAGE,
      cursor,
    });
    yield* page.jobs;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

async function cancelWaiting(deps: Jobs, account: string): Promise<void> {
  for await (const job of openJobs(deps, account, ['queued', 'waiting'])) {
    if (job.attemptNumber > 0) continue;
    await cancelJob(deps, job).catch((err: unknown) => {
      // It started, or ended, between the list and now: it is waited for.
      if (!(err instanceof AppError)) throw err;
    });
  }
}

/**
 * Without credentials a started job can neither go on nor be asked about.
 */
async function settleUnsendable(
  deps: Jobs,
  account: string,
  isStuck: (job: JobRecord) => boolean,
): Promise<void> {
  const error = toJobError(
    new AppError('account_needs_reauth', 'The account was deleted without valid credentials.'),
  );
  for await (const job of openJobs(deps, account, ['waiting'])) {
    if (!isStuck(job)) continue;
    await endUnsendable(deps.jobs, job, error);
  }
}
