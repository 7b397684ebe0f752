import { AppError } from '../../shared/app-error.ts';
import { type AccountHold, type JobView, storedStatuses, viewJob } from '../../shared/contract/job-view.ts';
import type { OperationInput } from '../../shared/contract/operation.ts';
import type { listJobs as operation } from '../../shared/contract/operations/jobs.ts';
import type { JobRecord, JobStatus } from '../../shared/domain/job.ts';
import { isUuid } from '../../shared/ids.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { JobPage } from '../../shared/stores/job-store.ts';
import { listRowJobs } from '../../shared/use-cases/read-import.ts';
import { findHold, getAccount } from '../find-account.ts';
import type { JobsDeps } from './jobs-deps.ts';

type Filter = OperationInput<typeof operation>['query'];
type Page = { object: 'list'; data: JobView[]; next_cursor: string | null };

const LIMIT = 50;

/** Accounts a filter speaks of: the one it names, or all of the workspace. */
export async function accountsOf(
  deps: JobsDeps,
  workspace: string,
  id: string | undefined,
): Promise<Account[]> {
  return id === undefined ? deps.accounts.list(workspace) : [await getAccount(deps.accounts, workspace, id)];
}

/** One page of the workspace's jobs. A status is looked for as it is shown, which the account has a say in. */
export async function listJobs(deps: JobsDeps, workspace: string, filter: Filter): Promise<Page> {
  refuseForeignCursor(filter.cursor);
  const accounts = await accountsOf(deps, workspace, filter.integrated_account_id);
  const nowMs = deps.clock.nowMs();
  const holdOf = rememberHolds(deps, accounts, nowMs);
  const statuses = filter.status && (await statusesBy(holdOf, accounts, filter.status, nowMs));
  const { jobs, nextCursor } = filter.idempotency_key
    ? {
        jobs: await findByKey(deps, accounts, filter.idempotency_key, filter, statuses),
        nextCursor: undefined,
      }
    : filter.import_id
      ? await listRows(deps, workspace, filter.import_id, filter, statuses)
      : await deps.jobs.list({
          accounts: accounts.map(({ id }) => id),
          statuses,
          createdAfterMs: filter.created_after,
          cursor: filter.cursor,
          limit: filter.limit ?? LIMIT,
        });
  const own = jobs.filter((job) => job.workspace === workspace);
  // Commands of one turn go out as one pipeline, so a page costs one more trip at most.
  const holds = await Promise.all(own.map((job) => holdOf(job.account)));
  const data = own.map((job, i) => viewJob(job, holds[i], nowMs));
  return { object: 'list', data, next_cursor: nextCursor ?? null };
}

type HoldOf = (account: string) => Promise<AccountHold | undefined>;
type StatusesOf = (account: string) => readonly JobStatus[];

/** Each account's hold, read once: jobs are found and shown by the same. */
function rememberHolds(deps: JobsDeps, accounts: Account[], nowMs: number): HoldOf {
  const byId = new Map(accounts.map((account) => [account.id, account]));
  const known = new Map<string, ReturnType<HoldOf>>();
  return (id) => {
    const hold = known.get(id) ?? findHold(deps.readGate, byId.get(id), nowMs);
    known.set(id, hold);
    return hold;
  };
}

async function statusesBy(
  holdOf: HoldOf,
  accounts: Account[],
  shown: readonly JobStatus[],
  nowMs: number,
): Promise<StatusesOf> {
  // Only these two are shown otherwise than they are stored.
  if (!shown.includes('queued') && !shown.includes('waiting')) return () => shown;
  const entries = await Promise.all(
    accounts.map(async ({ id }) => [id, storedStatuses(shown, await holdOf(id), nowMs)] as const),
  );
  const byAccount = new Map(entries);
  return (account) => byAccount.get(account) ?? shown;
}

/** Rows are listed by their import alone; an unknown one has none. */
async function listRows(
  deps: JobsDeps,
  workspace: string,
  importId: string,
  filter: Filter,
  statuses: StatusesOf | undefined,
): Promise<JobPage> {
  const record = isUuid(importId) ? await deps.imports.find(importId) : undefined;
  if (!record || record.workspace !== workspace) return { jobs: [] };
  if (filter.integrated_account_id && filter.integrated_account_id !== record.account) return { jobs: [] };
  if (filter.created_after !== undefined && record.createdAtMs <= filter.created_after) return { jobs: [] };
  return listRowJobs(deps, record, {
    statuses: statuses?.(record.account),
    cursor: filter.cursor,
    limit: filter.limit ?? LIMIT,
  });
}

/** A cursor is the id of a job; anything else would silently give a wrong page. */
export function refuseForeignCursor(cursor: string | undefined): void {
  if (cursor === undefined || isUuid(cursor)) return;
  const message = 'must be the next_cursor of the page before';
  throw new AppError('invalid_query', `cursor ${message}.`, {
    failures: [{ pointer: '/cursor', code: 'invalid_value', message }],
  });
}

/** A key is scoped to its account, so the same one may stand for a job in each. */
async function findByKey(
  deps: JobsDeps,
  accounts: Account[],
  key: string,
  filter: Filter,
  statuses: StatusesOf | undefined,
): Promise<JobRecord[]> {
  const ids = await Promise.all(accounts.map(({ id }) => deps.jobs.findByIdempotencyKey(id, key)));
  const jobs = await Promise.all(ids.map((id) => (id === undefined ? undefined : deps.jobs.find(id))));
  return jobs
    .filter((job) => job !== undefined)
    .filter(
      (job) =>
        (!statuses || statuses(job.account).includes(job.status)) &&
        (!filter.import_id || filter.import_id === job.importId) &&
        (filter.created_after === undefined || job.createdAtMs > filter.created_after),
    )
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, filter.limit ?? LIMIT);
}
