import type { Clock } from '../../shared/clock.ts';
import type { Epoch } from '../../shared/domain/epoch.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { JobRecord } from '../../shared/domain/job.ts';
import { type Lines, type Logger, linesWith } from '../../shared/logger.ts';
import type { Caller, CredentialsOf } from '../../shared/providers/caller.ts';
import type { Looked, Marker, ProviderClient, ProviderDescriptor } from '../../shared/providers/port.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { JobPatch, JobStore } from '../../shared/stores/job-store.ts';
import { type Policy, policyOf } from './decide.ts';

/** Reads of an account's live values that are under way in this process, by account. */
export type FactsUnderWay = Map<string, Promise<Looked<AccountFacts>>>;

export type WriterDeps = {
  factsUnderWay: FactsUnderWay;
  jobs: Pick<JobStore, 'find' | 'start' | 'move'>;
  unknowns: Unknowns;
  /** Jobs accepted before it may be older than the provider's truth. */
  epoch: () => Epoch;
  accounts: {
    get(id: string): Promise<Account | undefined>;
    facts(id: string): Promise<AccountFacts | undefined>;
    putFacts(id: string, facts: AccountFacts): Promise<void>;
    /** The grant is dead: park the account, its queue kept. */
    parkForReauth(account: Account, message: string): Promise<void>;
  };
  credentialsOf: CredentialsOf;
  caller: Caller;
  descriptorOf: (provider: Account['provider']) => ProviderDescriptor;
  clientOf: (provider: Account['provider']) => ProviderClient;
  clock: Clock;
  /** The provider's clock at `nowMs` of ours. */
  providerTime: (account: string, nowMs: number) => number;
  random: () => number;
  logger: Logger;
  onAttempt: (facts: { provider: string; outcome: string; durationMs: number }) => void;
  /** The job of a row of an import is through; the row may have had its result before (a late answer). */
  followRow: (jobId: string) => Promise<void>;
};

/**
 * Jobs of an account whose create carries no marker, by content and by parent: without one, two equal creates in
 * flight could be taken for each other.
 */
export type Unknowns = {
  /** Before the first byte: this job may put a record with this content under this parent. */
  announce(job: JobRecord, fingerprint: string): Promise<void>;
  /** The outcome is known (or decided by a person). */
  settle(job: JobRecord, fingerprint: string, parentId: string | undefined): Promise<void>;
  /** Other open jobs that may have made a record with this content. */
  twins(job: JobRecord, fingerprint: string): Promise<string[]>;
  /** Until settled, nothing else is created under this parent. */
  block(job: JobRecord, parentId: string): Promise<void>;
  /** Another job whose outcome under this parent is unknown. */
  blocker(job: JobRecord, parentId: string): Promise<string | undefined>;
  /** The job that claimed this remote id. */
  claimant(job: JobRecord, remoteId: string): Promise<string | undefined>;
  /** Gives the claim of `from` to `to`: a definite answer beats an adoption. */
  takeClaim(job: JobRecord, remoteId: string): Promise<unknown>;
};

/** What the steps of one run share. */
export type Run = {
  job: JobRecord;
  account: Account;
  descriptor: ProviderDescriptor;
  client: ProviderClient;
  policy: Policy;
  marker: Marker | undefined;
  /** A row of an import: it leaves a part of the account's pace to single creates. */
  isBulk: boolean;
  signal: AbortSignal;
  logger: Lines;
};

export function beginRun(deps: WriterDeps, job: JobRecord, account: Account, signal: AbortSignal): Run {
  const descriptor = deps.descriptorOf(account.provider);
  const setting = markerOf(job, account);
  return {
    job,
    account,
    descriptor,
    client: deps.clientOf(account.provider),
    policy: policyOf(account.settings, descriptor.reconcile),
    marker: setting ? { ...setting, value: job.id } : undefined,
    isBulk: job.importId !== undefined,
    signal,
    logger: linesWith(deps.logger, {
      job_id: job.id,
      account_id: account.id,
      provider: account.provider,
      ...(job.requestId === undefined ? {} : { request_id: job.requestId }),
      ...(job.traceparent === undefined ? {} : { traceparent: job.traceparent }),
    }),
  };
}

/**
 * A create that may have been written is looked for by the marker it carried, and repeated with it, whatever the
 * account says today: by a key that it never had, its absence would seem certain.
 */
function markerOf(job: JobRecord, account: Account) {
  const sent = [...job.unknownSends, ...(job.inFlight ? [job.inFlight] : [])];
  const known = sent.find(({ marker }) => marker !== undefined);
  return known ? known.marker : account.settings.marker;
}

/** A unique key of the provider's own: creating by it twice cannot make two records. */
export function hasNativeKey(run: Run): boolean {
  return run.marker?.kind === 'external_id';
}

/**
 * When the job must be over: the time the account was held since its first attempt does not count. A job that found its
 * provider away before it could make one begins to count there, see {@link beginDeadline}.
 */
export function deadlineOf(run: Run, nowMs: number): number {
  const { job, account, policy } = run;
  const startedMs = job.firstAttemptAtMs ?? nowMs;
  const heldMs = job.firstAttemptAtMs === undefined ? 0 : Math.max(0, account.heldMs - job.heldBaseMs);
  return startedMs + policy.deadlineMs + heldMs;
}

/** What begins the deadline of a job now, unless it has begun. */
export function beginDeadline({ job, account }: Run, nowMs: number): JobPatch {
  if (job.firstAttemptAtMs !== undefined) return {};
  return { firstAttemptAtMs: nowMs, heldBaseMs: account.heldMs };
}

/** A wait ends no later than the deadline, so that the job fails in time; one that may have been written has none. */
export function withinDeadline(run: Run, untilMs: number, nowMs: number): number {
  const { job } = run;
  if (job.written || job.unknownSends.length > 0) return untilMs;
  return Math.min(untilMs, deadlineOf(run, nowMs) + 1);
}
