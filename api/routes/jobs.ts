import type { Response } from 'express';
import { AppError } from '../../shared/app-error.ts';
import { toJobOptions } from '../../shared/contract/create-query.ts';
import { type JobView, viewJob } from '../../shared/contract/job-view.ts';
import * as operations from '../../shared/contract/operations/jobs.ts';
import { isSettled, type JobRecord } from '../../shared/domain/job.ts';
import { isUuid } from '../../shared/ids.ts';
import { cancelJob } from '../../shared/use-cases/cancel-job.ts';
import { resolveJob } from '../../shared/use-cases/resolve-job.ts';
import { retryFollowUps, retryJob } from '../../shared/use-cases/retry-job.ts';
import { findHold, getAccount } from '../find-account.ts';
import type { Caller } from '../request-facts.ts';
import type { Answer } from '../send-answer.ts';
import type { Serve } from '../serve-operation.ts';
import type { JobsDeps } from './jobs-deps.ts';
import { listJobs } from './list-jobs.ts';
import { retryJobs } from './retry-jobs.ts';

export function serveJobs(serve: Serve, deps: JobsDeps): void {
  serve(operations.listJobs, async ({ query, caller }) => ({
    status: 200,
    body: await listJobs(deps, caller.workspace, query),
  }));

  serve(operations.retryJobs, async ({ query, body, caller }) => ({
    status: 202,
    body: await retryJobs(deps, caller.workspace, query, body),
  }));

  serve(operations.getJob, async ({ params, query, caller, res }) => {
    const found = await getJob(deps, caller, params.id);
    const job = query.wait ? await waitUntilSettled(deps, found, query.wait, res) : found;
    return { status: 200, body: await view(deps, job) };
  });

  serve(operations.cancelJob, async ({ params, caller }) => {
    const job = await getJob(deps, caller, params.id);
    await cancelJob(deps, job);
    await deps.followRow(job.id);
    return answerNow(deps, 200, job.id);
  });

  serve(operations.retryJob, async ({ params, body, caller }) => {
    const job = await getJob(deps, caller, params.id);
    const account = await getAccount(deps.accounts, caller.workspace, job.account);
    await retryJob(deps, job, account, { body: body.body, query: body.query && toJobOptions(body.query) });
    await deps.followRow(job.id);
    return answerNow(deps, 202, job.id);
  });

  serve(operations.retryFollowUps, async ({ params, caller }) => {
    const job = await getJob(deps, caller, params.id);
    await getAccount(deps.accounts, caller.workspace, job.account);
    await retryFollowUps(deps, job);
    await deps.followRow(job.id);
    return answerNow(deps, 202, job.id);
  });

  serve(operations.resolveJob, async ({ params, body, caller }) => {
    const job = await getJob(deps, caller, params.id);
    const found = await deps.accounts.get(job.account);
    // Also of an account that is gone: the doubt would stay for ever.
    const isThere = found?.workspace === job.workspace && found.status !== 'deleting';
    const account = isThere ? found : undefined;
    const resolution = 'remote_id' in body ? { remoteId: body.remote_id } : { notCreated: true as const };
    await resolveJob(deps, job, account, resolution);
    await deps.followRow(job.id);
    return answerNow(deps, 200, job.id);
  });
}

/** @throws AppError 404 for one that does not exist or belongs to another workspace. */
async function getJob(deps: JobsDeps, caller: Caller, id: string): Promise<JobRecord> {
  const job = isUuid(id) ? await deps.jobs.find(id) : undefined;
  if (!job || job.workspace !== caller.workspace)
    throw new AppError('not_found', `There is no job ${id} in this workspace.`);
  return job;
}

async function waitUntilSettled(
  deps: JobsDeps,
  job: JobRecord,
  seconds: number,
  res: Response,
): Promise<JobRecord> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const isOver = ({ status }: JobRecord) => isSettled(status);
  return deps.waiter.wait(job, { timeoutMs: seconds * 1_000, isOver, signal: gone.signal });
}

async function view(deps: JobsDeps, job: JobRecord): Promise<JobView> {
  const nowMs = deps.clock.nowMs();
  return viewJob(job, await findHold(deps.readGate, await deps.accounts.get(job.account), nowMs), nowMs);
}

async function answerNow(deps: JobsDeps, status: number, id: string): Promise<Answer> {
  const job = await deps.jobs.find(id);
  if (!job) throw new AppError('not_found');
  return { status, headers: { Location: `/jobs/${id}` }, body: await view(deps, job) };
}
