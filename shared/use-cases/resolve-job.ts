import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { AccountFacts, ProviderName } from '../domain/integrated-account.ts';
import type { Attempt, JobRecord } from '../domain/job.ts';
import { isErrorCode } from '../errors.ts';
import { formatResult } from '../providers/format-result.ts';
import type { ProviderDescriptor } from '../providers/port.ts';
import type { AccountQueries } from '../queues/account-queries.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import type { Account } from '../stores/account-store.ts';
import type { JobPatch, JobStore } from '../stores/job-store.ts';
import { ACCOUNT_GONE, resultOfUnread } from './end-unsendable.ts';
import { refusedFrom, toRefusal } from './job-errors.ts';
import { reopen } from './retry-job.ts';

export type ResolveDeps = {
  accounts: { facts(id: string): Promise<AccountFacts | undefined> };
  jobs: Pick<JobStore, 'move'>;
  queues: Pick<AccountQueues, 'add' | 'ring'>;
  queries: Pick<AccountQueries, 'ask'>;
  descriptorOf: (provider: ProviderName) => ProviderDescriptor;
  clock: Clock;
};

/** A person's word about a job in `needs_review`. */
export type Resolution = { remoteId: string } | { notCreated: true };

/**
 * Ends the doubt: the named record is read and becomes the job's result, or the job is queued again with its marker. Where the account is
 * gone nothing is read, and what was not created fails.
 * @throws AppError 409 from any other status or when another job holds the record; 404 when there is no such record.
 */
export async function resolveJob(
  deps: ResolveDeps,
  job: JobRecord,
  account: Account | undefined,
  resolution: Resolution,
): Promise<void> {
  if (job.status !== 'needs_review') throw refusedFrom(job.status, 'resolve');
  if (!account) return resolveWithoutAccount(deps, job, resolution);
  if ('notCreated' in resolution) return reopen(deps, job, 'resolve', NOT_CREATED);
  return adopt(deps, job, account, resolution.remoteId);
}

/** The person vouches that nothing of the earlier sends exists: no probe has to wait for them any more. */
const NOT_CREATED: JobPatch = {
  unknownSends: [],
  probes: 0,
  candidates: [],
  attemptsSpent: 0,
  limitHits: 0,
  faults: 0,
  error: undefined,
  inFlight: null,
  nextAttemptAtMs: null,
  waitReason: null,
  firstAttemptAtMs: null,
};

/** The account was deleted meanwhile: nothing can be read or sent, and the person's word stands as it is. */
async function resolveWithoutAccount(
  deps: ResolveDeps,
  job: JobRecord,
  resolution: Resolution,
): Promise<void> {
  const { generation } = job;
  if ('remoteId' in resolution) {
    const { remoteId } = resolution;
    const written = { remoteId, answer: { id: remoteId }, by: 'resolved' } as const;
    const moved = await deps.jobs.move(job, {
      ...{ to: 'succeeded', from: ['needs_review'], generation, remoteId },
      patch: {
        ...resultOfUnread(job, written),
        written,
        attempt: resolvedAttempt(job, deps.clock.nowMs()),
        candidates: [],
        error: undefined,
        inFlight: null,
      },
    });
    if (moved.kind !== 'moved') throw toRefusal(moved, 'resolve');
    return;
  }
  const opened = await deps.jobs.move(job, {
    ...{ to: 'queued', from: ['needs_review'], generation, newGeneration: true },
    patch: NOT_CREATED,
  });
  if (opened.kind !== 'moved') throw toRefusal(opened, 'resolve');
  // Should this process die in between, the orphan sweep ends it.
  await deps.jobs.move(job, { to: 'failed', from: ['queued'], patch: { error: ACCOUNT_GONE } });
}

async function adopt(deps: ResolveDeps, job: JobRecord, account: Account, remoteId: string): Promise<void> {
  const answer = await deps.queries.ask(account, { kind: 'record', remoteId });
  if (!answer.ok) {
    const code = isErrorCode(answer.code) ? answer.code : 'provider_error';
    throw new AppError(code, answer.message);
  }
  if (answer.value === null) {
    throw new AppError('provider_not_found', `The provider has no record "${remoteId}".`);
  }
  const facts = await deps.accounts.facts(account.id);
  const unified = deps.descriptorOf(account.provider).unify(answer.value, facts);
  const opportunity = { ...unified, remote_data: answer.value };
  const moved = await deps.jobs.move(job, {
    to: 'succeeded',
    from: ['needs_review'],
    generation: job.generation,
    remoteId: opportunity.id,
    patch: {
      written: { remoteId: opportunity.id, answer: answer.value, by: 'resolved' },
      result: formatResult({ opportunity, answer: answer.value, isWhole: true }, job.request.query),
      attempt: resolvedAttempt(job, deps.clock.nowMs()),
      candidates: [],
      error: undefined,
      // What was sent stays known: should the named record turn out to be another job's, this one looks before it sends.
      inFlight: null,
      nextAttemptAtMs: null,
      waitReason: null,
    },
  });
  if (moved.kind !== 'moved') throw toRefusal(moved, 'resolve');
}

/** The attempt in doubt, now with its end. */
function resolvedAttempt(job: JobRecord, nowMs: number): Attempt {
  const last = job.attempts.at(-1) ?? {
    number: Math.max(1, job.attemptNumber),
    startedAtMs: job.updatedAtMs,
  };
  return { ...last, finishedAtMs: last.finishedAtMs ?? nowMs, outcome: 'resolved' };
}
