import type { Warning } from '../../shared/domain/failure.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { Attempt, Written } from '../../shared/domain/job.ts';
import { timeoutOf } from '../../shared/providers/caller.ts';
import { formatResult } from '../../shared/providers/format-result.ts';
import type { Farewell } from '../../shared/providers/gate.ts';
import type { Call } from '../../shared/providers/port.ts';
import type { JobPatch, Move, Moved } from '../../shared/stores/job-store.ts';
import { DONE, type NextStep } from '../next-step.ts';
import { backoffMs, decide, verdictAtMs } from './decide.ts';
import { deadlineOf, type Run, type WriterDeps } from './deps.ts';
import { holdForReauth, waitInRecord } from './endings.ts';
import { readOutcomeOf } from './outcome.ts';
import { persist } from './persist.ts';
import type { Planned } from './plan.ts';
import { giveWrittenBack } from './written-late.ts';

type Plan = Extract<Planned, { kind: 'plan' }>;
/** The attempt that wrote it, and, just after its call, the end of that, which the gate was not told of yet. */
type Sent = { attempt: Attempt; farewell?: Farewell | undefined };

/** Warnings of an earlier end that this one makes itself. */
const SAID_ANEW: readonly string[] = ['follow_up_failed', 'field_not_kept'];

/** Tries of one follow-up or of the read-back, beside the first, before it is given up with a warning. */
const FOLLOWING_TRIES = 5;

/**
 * From "the provider has it" to `succeeded`: follow-ups, then the record as the provider shows it. Whatever fails
 * here, the create is never repeated: it is checkpointed with its remote id before anything else is tried.
 */
export async function completeWrite(
  deps: WriterDeps,
  run: Run,
  planned: Plan,
  written: Written,
  sent: Sent | undefined,
): Promise<NextStep> {
  const { job } = run;
  const open = planned.plan.followUps.filter(({ key }) => !isFollowUpEnded(job.followUps[key]));
  const readsBack = needsReadBack(run, planned, written);
  if (!job.written && open.length === 0 && !readsBack)
    return finish(deps, run, planned, written, written.answer, sent, []);

  // Opened again (a late answer, follow-ups to repeat), it is under way once more: `queued` does not end at once.
  if (!job.written || job.status === 'queued') {
    const move = {
      to: 'running',
      patch: { written, inFlight: null, error: undefined, attempt: sent?.attempt },
    } as const;
    const moved = await claim(deps, run, planned, written, move, sent);
    if (moved.kind !== 'moved') return giveWrittenBack(deps, run, written, sent?.attempt, moved);
    job.written = written;
    job.status = 'running';
  }
  const call = deps.caller(run.account, { signal: run.signal, isBulk: run.isBulk });
  for (const followUp of open) {
    const waiting = await runFollowUp(deps, run, call, written, followUp);
    if (waiting) return waiting;
  }
  const warnings = followUpWarnings(run, planned);
  if (!readsBack) return finish(deps, run, planned, written, written.answer, undefined, warnings);
  const read = await run.client.readBack(call, written.remoteId, run.account.settings);
  if (read.ok && read.value !== undefined) {
    // Its tries are no follow-up that anybody could want repeated.
    delete job.followUps.read_back;
    return finish(deps, run, planned, written, read.value, undefined, warnings);
  }
  if (!read.ok) {
    const waiting = await waitForFollowing(deps, run, 'read_back', read.result);
    if (waiting) return waiting;
  }
  warnings.push({
    code: 'read_back_failed',
    message: read.ok
      ? 'The record was written, and the provider did not show it afterwards; the answer holds what its create returned.'
      : 'The record was written and could not be read back; the answer holds what its create returned.',
  });
  return finish(deps, run, planned, written, written.answer, undefined, warnings);
}

function needsReadBack(run: Run, planned: Plan, written: Written): boolean {
  if (run.account.settings.read_back === false) return false;
  // An adopted record was made by an answer nobody has: only a read can show it.
  if (written.by === 'reconciled') return true;
  if (run.job.request.query.response_format === 'raw') return false;
  return !run.descriptor.createAnswersRecord || planned.plan.followUps.length > 0;
}

const isFollowUpEnded = (progress: string | undefined) =>
  progress === 'done' || progress?.startsWith('failed') === true;

async function runFollowUp(
  deps: WriterDeps,
  run: Run,
  call: Call,
  written: Written,
  followUp: Plan['plan']['followUps'][number],
) {
  const done = await run.client.followUp(call, written.remoteId, followUp, run.account.settings);
  if (done.ok) {
    run.job.followUps[followUp.key] = 'done';
    return undefined;
  }
  const now = deps.clock.nowMs();
  const settledMs = done.mayHaveRun ? verdictAtMs(now, timeoutOf(run.account), run.policy) : now;
  return waitForFollowing(deps, run, followUp.key, done.result, settledMs);
}

/**
 * A call after the create failed: a wait when it may work later, else undefined with the failure kept in its progress.
 * Progress is `done`, `failed: …`, or the number of tries.
 */
async function waitForFollowing(
  deps: WriterDeps,
  run: Run,
  key: string,
  result: Parameters<typeof readOutcomeOf>[0],
  notBeforeMs = 0,
): Promise<NextStep | undefined> {
  const { job } = run;
  const outcome = readOutcomeOf(result, run.descriptor, { method: 'POST', path: '', purpose: 'follow_up' });
  const patch = (): JobPatch => ({ followUps: job.followUps });
  if (outcome.kind === 'needs_reauth') return holdForReauth(deps, run, outcome.message, patch());
  const now = deps.clock.nowMs();
  const tries = Number(job.followUps[key] ?? 0) + (outcome.kind === 'retryable' ? 1 : 0);
  if (outcome.kind === 'retryable' && tries <= FOLLOWING_TRIES) {
    job.followUps[key] = String(tries);
    const untilMs = Math.max(notBeforeMs, now + backoffMs(tries, deps.random()));
    return waitInRecord(deps, run, { untilMs, reason: 'retry_backoff', wholeQueue: false }, patch());
  }
  if (outcome.kind === 'rate_limited') {
    const standing = { attemptsSpent: 0, limitHits: 1, deadlineAtMs: deadlineOf(run, now) };
    const decision = decide(outcome, standing, run.policy, now, deps.random());
    if (decision.kind === 'wait') return waitInRecord(deps, run, decision, patch());
  }
  job.followUps[key] = `failed: ${'message' in outcome ? outcome.message : 'unreadable answer'}`;
  return undefined;
}

function followUpWarnings(run: Run, planned: Plan): Warning[] {
  return planned.plan.followUps.flatMap(({ key, pointer, describes }) => {
    const progress = run.job.followUps[key];
    if (!progress?.startsWith('failed')) return [];
    return [
      {
        code: 'follow_up_failed',
        pointer,
        message: `The opportunity was written; missing: ${describes} (${progress.slice(8)})`,
      },
    ];
  });
}

async function finish(
  deps: WriterDeps,
  run: Run,
  planned: Plan,
  written: Written,
  record: unknown,
  sent: Sent | undefined,
  extraWarnings: Warning[],
): Promise<NextStep> {
  const { job } = run;
  const patch: JobPatch = {
    inFlight: null,
    nextAttemptAtMs: null,
    waitReason: null,
    error: undefined,
    result: resultOf(run, planned.facts, written, record),
    warnings: [
      ...planned.warnings.filter(({ code }) => !SAID_ANEW.includes(code)),
      // What somebody changed since, or an earlier body held, is not what was left out.
      ...(written.by === 'succeeded' ? (run.descriptor.notKept?.(planned.plan, record) ?? []) : []),
      ...extraWarnings,
    ],
    ...(sent ? { attempt: sent.attempt } : {}),
    ...(job.written || planned.plan.followUps.length > 0 ? { followUps: job.followUps } : {}),
    // Follow-ups may be repeated later: they need the remote id, and nothing else of the create.
    written: job.written ?? (planned.plan.followUps.length > 0 ? written : undefined),
  };
  const moved = await claim(deps, run, planned, written, { to: 'succeeded', patch }, sent);
  if (moved.kind !== 'moved') return giveWrittenBack(deps, run, written, sent?.attempt, moved);
  run.logger.info({ remote_id: written.remoteId, by: written.by }, 'job.succeeded');
  return DONE;
}

function resultOf(run: Run, facts: AccountFacts | undefined, written: Written, record: unknown): unknown {
  const { query } = run.job.request;
  const isRead = record !== written.answer;
  // An adopted record has no create answer of its own: what the provider shows of it stands in, and unread all that is known is its id.
  if (written.by === 'reconciled' && !isRead)
    return formatResult({ opportunity: { id: written.remoteId }, answer: record, isWhole: false }, query);
  const opportunity = { ...run.descriptor.unify(record, facts), remote_data: record };
  // What a person named was read before.
  const isWhole = isRead || written.by === 'resolved' || run.descriptor.createAnswersRecord;
  return formatResult(
    { opportunity, answer: written.by === 'reconciled' ? record : written.answer, isWhole },
    query,
  );
}

/** Stores a written record together with the claim of its remote id. */
async function claim(
  deps: WriterDeps,
  run: Run,
  planned: Plan,
  written: Written,
  move: Move,
  sent: Sent | undefined,
): Promise<Moved> {
  const wanted: Move = {
    ...move,
    remoteId: written.remoteId,
    generation: run.job.generation,
    ...(run.marker ? {} : { alike: planned.fingerprint }),
  };
  // Refused together, the gate is told apart: what the answer said of limits was said of its moment.
  let tries = 0;
  let moved = await persist(run.logger, 'written', () => {
    tries++;
    if (tries === 2) sent?.farewell?.say();
    return deps.jobs.move(run.job, tries === 1 ? { ...wanted, farewell: sent?.farewell } : wanted);
  });
  if (moved.kind === 'claimed' && written.by === 'succeeded') {
    // The provider told this job, and no other, that it made this record: whoever adopted it guessed wrong.
    await persist(run.logger, 'claim taken', () => deps.unknowns.takeClaim(run.job, written.remoteId));
    moved = await persist(run.logger, 'written', () => deps.jobs.move(run.job, wanted));
  }
  // What a plain create announced is withdrawn by the move itself; a lost one may hold up others beside.
  if (moved.kind === 'moved' && !run.marker && run.job.unknownSends.length > 0) {
    await persist(run.logger, 'unknown settled', () =>
      deps.unknowns.settle(run.job, planned.fingerprint, planned.plan.parentId),
    );
  }
  return moved;
}
