import { isDoubtedSince } from '../../shared/domain/epoch.ts';
import { isSettled, type JobRecord } from '../../shared/domain/job.ts';
import { timeoutOf } from '../../shared/providers/caller.ts';
import { WriteMessage } from '../../shared/queues/messages.ts';
import { DONE, type NextStep, type Processor, waitUntil } from '../next-step.ts';
import { afterFault } from './after-fault.ts';
import { attemptWrite } from './attempt.ts';
import { completeWrite } from './complete.ts';
import { nextProbeAtMs, verdictAtMs } from './decide.ts';
import {
  beginDeadline,
  beginRun,
  deadlineOf,
  hasNativeKey,
  type Run,
  type WriterDeps,
  withinDeadline,
} from './deps.ts';
import { askAPerson, endAsFailed, holdForReauth, waitInRecord } from './endings.ts';
import { type Failed, outcomeOf } from './outcome.ts';
import { persist } from './persist.ts';
import { planOfWritten, planWrite } from './plan.ts';
import { reconcile, takeOver } from './reconcile.ts';

/** How soon a message of a held account is looked at again; its queue is paused, so that this hardly happens. */
const HELD_LOOK_MS = 5_000;

/**
 * Writes one opportunity, one step at a time. The record says what comes next; the engine's message only names it.
 *
 * settled → nothing · another generation → nothing · account held → wait · an attempt in flight → reconcile, never send ·
 * written → follow-ups and read-back · a create was lost → look first · else → attempt
 */
export function createWriter(deps: WriterDeps): Processor {
  return async (data, signal) => {
    const message = WriteMessage.parse(data);
    const job = await deps.jobs.find(message.job);
    if (!job) return DONE;
    // Also when it was settled before: its worker may have died between that and what follows from it.
    if (isSettled(job.status)) return throughWith(deps, job);
    if (job.generation !== message.generation) return DONE;
    const account = await deps.accounts.get(job.account);
    // The sweep ends it. An account of that name in another workspace is another one.
    if (account?.workspace !== job.workspace) return DONE;
    const run = beginRun(deps, job, account, signal);
    if (account.status !== 'active' && account.status !== 'deleting')
      return waitUntil(deps.clock.nowMs() + HELD_LOOK_MS, true);
    const step = await advance(deps, run, job).catch((err: unknown) => afterFault(deps, run, err));
    return step.kind === 'done' ? throughWith(deps, job) : step;
  };
}

async function throughWith(deps: WriterDeps, { id, importId }: JobRecord): Promise<NextStep> {
  if (importId !== undefined) await persist(deps.logger, 'row followed', () => deps.followRow(id));
  return DONE;
}

async function advance(deps: WriterDeps, run: Run, job: JobRecord): Promise<NextStep> {
  if (job.inFlight) return takeOver(deps, run);
  const doubted = doubtAfterEpoch(deps, run);
  if (doubted) return doubted;
  const now = deps.clock.nowMs();
  const begun = job.written !== undefined || job.unknownSends.length > 0;
  if (!begun && now > deadlineOf(run, now)) {
    return endAsFailed(
      deps,
      run,
      { code: 'deadline_exceeded', message: 'The deadline passed before the job could be written.' },
      {},
    );
  }
  const planned = await planWrite(
    deps,
    run,
    deps.caller(run.account, { signal: run.signal, isBulk: run.isBulk }),
  );
  if (planned.kind === 'unread') return waitForFacts(deps, run, planned.result);
  if (planned.kind === 'invalid') {
    const [first] = planned.failures;
    const message =
      planned.failures.length === 1 && first
        ? first.message
        : `${planned.failures.length} fields cannot be written to this account.`;
    return endUnplanned(deps, run, {
      code: first?.code ?? 'invalid_body',
      message,
      fields: planned.failures,
    });
  }
  if (job.written) return completeWrite(deps, run, planned, job.written, undefined);
  if (job.unknownSends.length > 0) return reconcile(deps, run, planned);
  return attemptWrite(deps, run, planned);
}

/** It cannot be mapped: the end of a job that never left, but what was sent does not go away by that. */
function endUnplanned(deps: WriterDeps, run: Run, failed: Failed): Promise<NextStep> {
  const { job } = run;
  if (job.written)
    return completeWrite(deps, run, planOfWritten(run, failed.message), job.written, undefined);
  if (job.unknownSends.length > 0) {
    const why = `The provider may have the record; it cannot be looked for, since the request no longer fits the account: ${failed.message}`;
    return askAPerson(deps, run, job.candidates, why);
  }
  return endAsFailed(deps, run, failed, {});
}

/** Redis may have forgotten what became of this job: it goes the way of a create whose answer is lost. */
function doubtAfterEpoch(deps: WriterDeps, run: Run): Promise<NextStep> | undefined {
  const { job } = run;
  const epoch = deps.epoch();
  if (!isDoubtedSince(epoch, job)) return undefined;
  const now = deps.clock.nowMs();
  const send = {
    attempt: job.attemptNumber,
    sentAtProviderMs: deps.providerTime(run.account.id, job.createdAtMs),
    verdictAtMs: verdictAtMs(epoch.atMs, timeoutOf(run.account), run.policy),
  };
  const unknownSends = [...job.unknownSends, send];
  const untilMs = nextProbeAtMs(unknownSends, 0, run.policy, now, hasNativeKey(run)) ?? now;
  return waitInRecord(
    deps,
    run,
    { untilMs, reason: 'reconciling', wholeQueue: false },
    { unknownSends, probes: 0, epoch: epoch.number },
  );
}

/** The account's live values are needed to map and cannot be read: the same roads as for a create, none of them a write. */
async function waitForFacts(
  deps: WriterDeps,
  run: Run,
  result: Parameters<typeof outcomeOf>[0],
): Promise<NextStep> {
  const outcome = outcomeOf(result, run.descriptor, { method: 'GET', path: '', purpose: 'look_up' });
  if (outcome.kind === 'needs_reauth') return holdForReauth(deps, run, outcome.message, {});
  if (outcome.kind === 'permanent') return endUnplanned(deps, run, outcome);
  const now = deps.clock.nowMs();
  const limited = outcome.kind === 'rate_limited';
  const untilMs =
    limited && outcome.limit.untilMs
      ? outcome.limit.untilMs
      : now + 2_000 + Math.round(deps.random() * 3_000);
  const reason =
    result.kind === 'deferred' ? result.reason : limited ? 'rate_limited' : ('retry_backoff' as const);
  // The provider was asked, or is known to be away: without a first attempt the job would have no deadline.
  const isTurnAwaited = result.kind === 'deferred' && reason === 'rate_limited';
  return waitInRecord(
    deps,
    run,
    {
      untilMs: withinDeadline(run, untilMs, now),
      reason,
      wholeQueue: limited && outcome.limit.scope !== 'parent',
    },
    isTurnAwaited ? {} : beginDeadline(run, now),
  );
}
