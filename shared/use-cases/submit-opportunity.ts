import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { AccountFacts, ProviderName } from '../domain/integrated-account.ts';
import type { JobRecord, JobRequest } from '../domain/job.ts';
import type { OpportunityInput } from '../domain/opportunity.ts';
import { paceOf } from '../providers/pace.ts';
import type { ProviderDescriptor } from '../providers/port.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import { PRIORITY } from '../queues/messages.ts';
import { isNotSent, isRefusedByStore } from '../redis/unavailable.ts';
import type { Account } from '../stores/account-store.ts';
import type { ReadGate } from '../stores/gate-reading.ts';
import type { AcceptInput, AcceptResult, JobStore } from '../stores/job-store.ts';
import type { AskFacts } from './ask-facts.ts';
import { backlogRetrySeconds } from './backlog-retry.ts';
import { planOpportunity } from './plan-opportunity.ts';
import { fingerprintOf } from './request-fingerprint.ts';

export type SubmitDeps = {
  accounts: { facts(id: string): Promise<AccountFacts | undefined> };
  jobs: Pick<JobStore, 'newId' | 'accept' | 'find' | 'findByIdempotencyKey'>;
  queues: Pick<AccountQueues, 'add' | 'remove' | 'ring'>;
  askFacts: AskFacts;
  descriptorOf: (provider: ProviderName) => ProviderDescriptor;
  readGate: ReadGate;
  clock: Clock;
  /** Why the store can promise nothing more now, as a sentence; undefined: it can. */
  storeTrouble: () => string | undefined;
};

/** A create whose form was validated; `account` belongs to the caller's workspace. */
export type Submission = {
  account: Account;
  body: OpportunityInput;
  query: JobRequest['query'];
  callbackUrl?: string;
  idempotencyKey?: string;
  requestId?: string;
  traceparent?: string;
};

export type Submitted = { job: JobRecord; replayed: boolean };

const FIRST_GENERATION = 1;

/**
 * Accepts one create: planned as the worker will, then on disk and queued. Resolves only after both.
 * @throws AppError 400/404/422/429 when refused (nothing is stored), 503 when it cannot be promised.
 */
export async function submitOpportunity(deps: SubmitDeps, submission: Submission): Promise<Submitted> {
  const { account, body, query, callbackUrl, idempotencyKey } = submission;
  const trouble = deps.storeTrouble();
  if (trouble) throw new AppError('durability_unavailable', trouble, { retryAfterSeconds: 10 });
  const id = deps.jobs.newId(account.id);
  const request: JobRequest = { query, body };
  const fingerprint = idempotencyKey === undefined ? undefined : fingerprintOf(request, callbackUrl);
  const planWith = (facts: AccountFacts | undefined) =>
    planOpportunity({
      descriptor: deps.descriptorOf(account.provider),
      settings: account.settings,
      body,
      query,
      facts,
      jobId: id,
      nowMs: deps.clock.nowMs(),
    });
  const known = await deps.accounts.facts(account.id);
  let planned = planWith(known);
  const isUndecided = planned.ok && !known && mayLackAPlace(deps, submission, planned.appliedDefaults);
  if (!planned.ok || isUndecided) {
    const earlier = await findEarlier(deps, account.id, idempotencyKey, fingerprint);
    if (earlier) return { job: earlier, replayed: true };
  }
  if (isUndecided) planned = planWith(await deps.askFacts(account));
  if (!planned.ok) throw planned.error;
  const accepted = await acceptAndEnqueue(deps, id, {
    workspace: account.workspace,
    account: account.id,
    provider: account.provider,
    request,
    appliedDefaults: planned.appliedDefaults,
    warnings: planned.warnings,
    ...(idempotencyKey !== undefined && fingerprint !== undefined
      ? { idempotency: { key: idempotencyKey, fingerprint } }
      : {}),
    requestId: submission.requestId,
    traceparent: submission.traceparent,
    callbackUrl,
  });
  return settle(deps, id, account, accepted);
}

/**
 * `reject` promises its 400 before anything is stored, and whether an account has a place for a field only its live values may tell.
 * Where they cannot be had, the create is accepted and the worker decides.
 */
function mayLackAPlace(
  { descriptorOf }: SubmitDeps,
  { account, body, query }: Submission,
  defaults: Partial<OpportunityInput>,
): boolean {
  if ((query.on_unsupported ?? account.settings.on_unsupported) !== 'reject') return false;
  const given = { ...body, ...defaults };
  return descriptorOf(account.provider).decidedByFacts.some((field) => given[field] !== undefined);
}

/** A key that was accepted keeps its job, even if the account's settings would refuse the request today. */
async function findEarlier(
  deps: SubmitDeps,
  account: string,
  key: string | undefined,
  fingerprint: string | undefined,
) {
  if (key === undefined) return undefined;
  const jobId = await deps.jobs.findByIdempotencyKey(account, key);
  const job = jobId === undefined ? undefined : await deps.jobs.find(jobId);
  return job && fingerprintOf(job.request, job.callbackUrl) === fingerprint ? job : undefined;
}

/**
 * Record and queue entry leave in one turn, in this order: one trip and one fsync instead of two. An entry whose record
 * was not accepted names a job that nobody will ever have: a worker drops it, and it is taken back here before that.
 */
async function acceptAndEnqueue(deps: SubmitDeps, id: string, input: AcceptInput): Promise<AcceptResult> {
  const [accepted, added] = await Promise.allSettled([
    deps.jobs.accept(id, input),
    deps.queues.add(input.account, id, FIRST_GENERATION, PRIORITY.interactive),
  ]);
  if (accepted.status === 'rejected') throw notPromised(accepted.reason, id);
  if (accepted.value.kind !== 'accepted') {
    if (added.status === 'fulfilled') deps.queues.remove(input.account, id, FIRST_GENERATION).catch(() => {});
  } else if (added.status === 'rejected') {
    throw notQueued(added.reason, id);
  }
  return accepted.value;
}

/** The store did not confirm: either it surely has nothing, or the caller is told which job may exist. */
function notPromised(cause: unknown, jobId: string): AppError {
  if (isNotSent(cause) || isRefusedByStore(cause)) {
    return new AppError('durability_unavailable', undefined, { retryAfterSeconds: 1, cause });
  }
  return new AppError('accept_timed_out', undefined, { retryAfterSeconds: 1, jobId, cause });
}

async function settle(
  deps: SubmitDeps,
  id: string,
  account: Account,
  accepted: AcceptResult,
): Promise<Submitted> {
  switch (accepted.kind) {
    case 'accepted':
      if (accepted.bell) ring(deps, account.id);
      return { job: accepted.job, replayed: false };
    case 'replayed': {
      const job = await deps.jobs.find(accepted.jobId);
      if (!job) throw new AppError('idempotency_key_in_progress', undefined, { retryAfterSeconds: 1 });
      // The first request may have died between record and queue; adding again does nothing where it did not.
      if (job.status === 'queued' && job.attemptNumber === 0) {
        await enqueue(deps, job);
        ring(deps, account.id);
      }
      // Our own script sent twice by the connection after a reconnect is no replay.
      return { job, replayed: accepted.jobId !== id };
    }
    case 'key_reused':
      throw new AppError('idempotency_key_reused', undefined, { jobId: accepted.jobId });
    case 'backlog_full':
      throw new AppError('backlog_full', `The account has ${accepted.open} open jobs.`, {
        retryAfterSeconds: await backlogRetryOf(deps, account, accepted.open),
      });
    case 'no_account':
      throw new AppError('not_found', 'There is no such integrated account.');
  }
}

async function backlogRetryOf(deps: SubmitDeps, account: Account, open: number): Promise<number> {
  const nowMs = deps.clock.nowMs();
  const pace = paceOf(deps.descriptorOf(account.provider), account.settings);
  const reading = await deps.readGate(account.id, nowMs);
  return backlogRetrySeconds(open, account.status !== 'active', pace, reading, nowMs);
}

async function enqueue(deps: SubmitDeps, job: JobRecord): Promise<void> {
  try {
    await deps.queues.add(job.account, job.id, job.generation, PRIORITY.interactive);
  } catch (cause) {
    throw notQueued(cause, job.id);
  }
}

/** The record exists and the orphan sweep will queue it, but 202 promises more than that. */
function notQueued(cause: unknown, jobId: string): AppError {
  return new AppError('accept_timed_out', undefined, { retryAfterSeconds: 1, jobId, cause });
}

/** Not awaited: a bell nobody hears is made good by the sweep. */
export function ring(deps: { queues: Pick<AccountQueues, 'ring'> }, account: string): void {
  deps.queues.ring(account).catch(() => {});
}
