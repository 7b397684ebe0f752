import { AppError } from '../../shared/app-error.ts';
import type { OperationInput } from '../../shared/contract/operation.ts';
import type { listJobs as operation } from '../../shared/contract/operations/jobs.ts';
import { type JobRecord, type JobView, viewJob } from '../../shared/domain/job.ts';
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

/** One page of the workspace's jobs. */
export async function listJobs(deps: JobsDeps, workspace: string, filter: Filter): Promise<Page> {
  refuseForeignCursor(filter.cursor);
  const accounts = await accountsOf(deps, workspace, filter.integrated_account_id);
  const byId = new Map(accounts.map((account) => [account.id, account]));
  const { jobs, nextCursor } = filter.idempotency_key
    ? { jobs: await findByKey(deps, accounts, filter.idempotency_key, filter), nextCursor: undefined }
    : filter.import_id
      ? await listRows(deps, workspace, filter.import_id, filter)
      : await deps.jobs.list({
          accounts: accounts.map(({ id }) => id),
          statuses: filter.status,
          createdAfterMs: filter.created_after,
          cursor: filter.cursor,
          limit: filter.limit ?? LIMIT,
        });
  const nowMs = deps.clock.nowMs();
  const own = jobs.filter((job) => job.workspace === workspace);
  // Commands of one turn go out as one pipeline, so a page costs one more trip at most.
  const holds = await Promise.all(own.map((job) => findHold(deps.readGate, byId.get(job.account), nowMs)));
  const data = own.map((job, i) => viewJob(job, holds[i], nowMs));
  return { object: 'list', data, next_cursor: nextCursor ?? null };
}

/** Rows are listed by their import alone; an unknown one has none. */
async function listRows(
  deps: JobsDeps,
  workspace: string,
  importId: string,
  filter: Filter,
): Promise<JobPage> {
  const record = isUuid(importId) ? await deps.imports.find(importId) : undefined;
  if (!record || record.workspace !== workspace) return { jobs: [] };
  if (filter.integrated_account_id && filter.integrated_account_id !== record.account) return { jobs: [] };
  if (filter.created_after !== undefined && record.createdAtMs <= filter.created_after) return { jobs: [] };
  return listRowJobs(deps, record, {
    statuses: filter.status,
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
): Promise<JobRecord[]> {
  const ids = await Promise.all(accounts.map(({ id }) => deps.jobs.findByIdempotencyKey(id, key)));
  const jobs = await Promise.all(ids.map((id) => (id === undefined ? undefined : deps.jobs.find(id))));
  return jobs
    .filter((job) => job !== undefined)
    .filter(
      (job) =>
        (!filter.status || filter.status.includes(job.status)) &&
        (!filter.import_id || filter.import_id === job.importId) &&
        (filter.created_after === undefined || job.createdAtMs > filter.created_after),
    )
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, filter.limit ?? LIMIT);
}
