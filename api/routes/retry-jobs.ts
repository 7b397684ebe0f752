import { AppError } from '../../shared/app-error.ts';
import type { OperationInput } from '../../shared/contract/operation.ts';
import type { retryJobs as operation } from '../../shared/contract/operations/jobs.ts';
import { retryJob } from '../../shared/use-cases/retry-job.ts';
import type { JobsDeps } from './jobs-deps.ts';
import { accountsOf, refuseForeignCursor } from './list-jobs.ts';

type Input = OperationInput<typeof operation>;
type Retried = {
  object: 'bulk_retry';
  retried: number;
  skipped: number;
  job_ids: string[];
  next_cursor: string | null;
};

const LIMIT = 200;

/** Queues again what a filter finds, one by one: each is checked by its own move, so none is retried twice. */
export async function retryJobs(
  deps: JobsDeps,
  workspace: string,
  query: Input['query'],
  body: Input['body'],
): Promise<Retried> {
  const filter = { ...query, ...body };
  refuseForeignCursor(filter.cursor);
  if (filter.import_id !== undefined) {
    const message = `is not taken here: rows are retried by POST /imports/${filter.import_id}/retry-failed`;
    throw new AppError(
      body.import_id === undefined ? 'invalid_query' : 'invalid_body',
      `import_id ${message}.`,
      {
        failures: [{ pointer: '/import_id', code: 'invalid_value', message }],
      },
    );
  }
  const accounts = await accountsOf(deps, workspace, filter.integrated_account_id);
  const byId = new Map(accounts.map((account) => [account.id, account]));
  const { jobs, nextCursor } = await deps.jobs.list({
    accounts: accounts.filter(({ status }) => status !== 'deleting').map(({ id }) => id),
    statuses: filter.status ?? ['failed'],
    createdAfterMs: filter.created_after,
    cursor: filter.cursor,
    limit: filter.limit ?? LIMIT,
  });
  const retried: string[] = [];
  for (const job of jobs) {
    const account = byId.get(job.account);
    const wanted =
      filter.code === undefined || (job.error !== undefined && filter.code.includes(job.error.code));
    if (!account || !wanted || job.workspace !== workspace) continue;
    try {
      await retryJob(deps, job, account, {});
      retried.push(job.id);
    } catch (err) {
      // Changed meanwhile, by another request or a late answer: not ours any more.
      if (!(err instanceof AppError) || err.statusCode !== 409) throw err;
    }
  }
  return {
    object: 'bulk_retry',
    retried: retried.length,
    skipped: jobs.length - retried.length,
    job_ids: retried,
    next_cursor: nextCursor ?? null,
  };
}
