import { AppError, toJobError } from '../../shared/app-error.ts';
import type { Candidate, JobError } from '../../shared/domain/job.ts';
import type { Call, Found } from '../../shared/providers/port.ts';
import { DONE, type NextStep, waitUntil } from '../next-step.ts';
import { attemptWrite } from './attempt.ts';
import { completeWrite } from './complete.ts';
import { backoffMs, nextProbeAtMs } from './decide.ts';
import { deadlineOf, hasNativeKey, type Run, type WriterDeps } from './deps.ts';
import { askAPerson, holdForReauth, waitInRecord } from './endings.ts';
import { jobErrorOf, readOutcomeOf } from './outcome.ts';
import { persist } from './persist.ts';
import type { Planned } from './plan.ts';
import { anotherSend, factsOfSender, factsOfToday } from './sender.ts';
import { unknownSendOf } from './settle-failure.ts';

type Plan = Extract<Planned, { kind: 'plan' }>;

const SENT_AS_ANOTHER =
  'The create was sent as another user of the provider than the account is connected as now, and its record was not found: that it does not exist is not certain.';

/** Failed look-ups in a row, beyond those of the schedule, before a person is asked. */
const FAILED_LOOKUPS_MAX = 12;

/** A run found the intent of an earlier one: that one died, or was cut off. Whatever it sent is unknown. */
export async function takeOver(deps: WriterDeps, run: Run): Promise<NextStep> {
  const { job } = run;
  const { inFlight } = job;
  if (!inFlight) return DONE;
  const now = deps.clock.nowMs();
  const unknownSends = [...job.unknownSends, unknownSendOf(inFlight, run, inFlight.sendBeforeMs)];
  const begun = job.attempts.find(({ number }) => number === inFlight.attempt);
  const untilMs = nextProbeAtMs(unknownSends, 0, run.policy, now, hasNativeKey(run)) ?? now;
  run.logger.warn({ attempt: inFlight.attempt }, 'attempt.interrupted');
  return waitInRecord(
    deps,
    run,
    { untilMs, reason: 'reconciling', wholeQueue: false },
    {
      inFlight: null,
      unknownSends,
      probes: 0,
      attemptsSpent: job.attemptsSpent + 1,
      ...(begun
        ? {
            attempt: {
              ...begun,
              finishedAtMs: now,
              outcome: 'ambiguous',
              code: 'provider_no_answer',
              message: 'the worker stopped during the call; the answer, if any, is lost',
            },
          }
        : {}),
    },
  );
}

/**
 * Looks for the record of a lost create, by the strongest means the account has, and decides: adopt it, look again
 * later, send again, or ask a person. Nothing is sent before the look-up says so.
 *
 * One file, however long: each of its ways ends in sending again or not, and has to be read beside the others.
 */
export async function reconcile(deps: WriterDeps, run: Run, planned: Plan): Promise<NextStep> {
  const { job, account } = run;
  if (!run.marker) await standInDoubt(deps, run, planned);
  const opened = await deps.credentialsOf(account.id);
  if (!opened) return holdForReauth(deps, run, 'the account has no readable credentials', {});
  const call: Call = deps.caller(account, { signal: run.signal, isBulk: run.isBulk });
  const facts = await factsOfToday(deps, run, planned.facts, call);
  if (!facts.ok) return lookUpFailed(deps, run, facts.result);
  planned.facts = facts.value;
  const lookedAtMs = deps.clock.nowMs();
  const looked = await run.client.find(
    call,
    {
      jobId: job.id,
      marker: run.marker,
      plan: planned.plan,
      sentAtProviderMs: Math.min(...job.unknownSends.map((sent) => sent.sentAtProviderMs)),
      facts: factsOfSender(run, planned.facts),
      credentials: opened.credentials,
    },
    account.settings,
  );
  // Other credentials since it began: what was looked at was not looked at by who would send now.
  const current = await deps.accounts.get(account.id);
  if (current?.credentialsVersion !== account.credentialsVersion) return waitUntil(deps.clock.nowMs());
  if (!looked.ok) return lookUpFailed(deps, run, looked.result);
  run.logger.info(
    { found: looked.value.kind, candidates: looked.value.candidates.length, probe: job.probes + 1 },
    'probe.finished',
  );
  const found = looked.value;
  if (found.kind === 'none') return lookAgain(deps, run, planned, found, lookedAtMs, found.trustworthy);
  const matching = await unclaimed(deps, run, found);
  // Whatever looks like ours is another job's.
  if (matching.length === 0)
    return lookAgain(deps, run, planned, found, lookedAtMs, found.trustworthy === true);
  const adopted = await adopt(deps, run, planned, found, matching);
  return adopted ?? lookAgain(deps, run, planned, found, lookedAtMs, false);
}

/**
 * Whoever looks at its own record by content must see this job, and nothing else may be created under the parent. Said
 * again with every look: the worker that lost the answer may have died before it could, or Redis was restored.
 */
async function standInDoubt(deps: WriterDeps, run: Run, planned: Plan): Promise<void> {
  const { parentId } = planned.plan;
  await deps.unknowns.announce(run.job, planned.fingerprint);
  if (parentId) await deps.unknowns.block(run.job, parentId);
}

/** The matches that may be ours. A marker is proof: whoever claimed such a record by its content guessed wrong. */
async function unclaimed(
  deps: WriterDeps,
  run: Run,
  found: Extract<Found, { kind: 'found' }>,
): Promise<Found['candidates']> {
  const { job } = run;
  const matches = found.candidates.filter((candidate) => candidate.matches);
  const owners = await Promise.all(matches.map(({ remoteId }) => deps.unknowns.claimant(job, remoteId)));
  const isFree = (i: number) => owners[i] === undefined || owners[i] === job.id;
  if (found.by === 'content') return matches.filter((_, i) => isFree(i));
  const [first] = matches;
  if (first && !isFree(0)) {
    await persist(run.logger, 'claim taken', () => deps.unknowns.takeClaim(job, first.remoteId));
  }
  return matches;
}

async function adopt(
  deps: WriterDeps,
  run: Run,
  planned: Plan,
  found: Extract<Found, { kind: 'found' }>,
  matching: Found['candidates'],
): Promise<NextStep | undefined> {
  const { job } = run;
  const [first, ...rest] = matching;
  if (!first) return undefined;
  if (found.by === 'content') {
    // By content alone two equal creates look the same: only a lone match without an open twin is ours beyond doubt.
    if (rest.length > 0) return undefined;
    const twins = await deps.unknowns.twins(job, planned.fingerprint);
    if (twins.length > 0) return undefined;
  }
  if (rest.length > 0) {
    planned.warnings.push({
      code: 'several_records',
      message: `The provider holds more than one record of this job; ${first.remoteId} was taken, beside it: ${rest.map(({ remoteId }) => remoteId).join(', ')}`,
    });
  }
  if (job.corrections > 0) {
    planned.warnings.push({
      code: 'body_differs',
      message: 'The record was found after the request had been corrected: it may hold the earlier values.',
    });
  }
  const last = job.attempts.at(-1);
  const attempt = last
    ? { ...last, finishedAtMs: last.finishedAtMs ?? deps.clock.nowMs(), outcome: 'reconciled' as const }
    : undefined;
  return completeWrite(
    deps,
    run,
    planned,
    { remoteId: first.remoteId, answer: { id: first.remoteId }, by: 'reconciled' },
    attempt && { attempt },
  );
}

/** Not found, or not certain: the next look, a new attempt, or a person. */
async function lookAgain(
  deps: WriterDeps,
  run: Run,
  planned: Plan,
  found: Found,
  lookedAtMs: number,
  provesAbsence: boolean,
): Promise<NextStep> {
  const { job, policy } = run;
  const now = deps.clock.nowMs();
  const candidates = found.candidates.map(({ remoteId, url, why }) => ({ remote_id: remoteId, url, why }));
  const verdictAtMs = Math.max(...job.unknownSends.map((sent) => sent.verdictAtMs));
  // What counts is when the look began: its answer may be old by now, if it was slow or this process was frozen.
  const isSettled = lookedAtMs >= verdictAtMs;
  // Another user may not see it, and may belong to another organisation: nothing is proved, and nothing is sent there.
  const isAnother = anotherSend(run, planned.facts) !== undefined;
  if (isAnother && isSettled) return askAPerson(deps, run, candidates, SENT_AS_ANOTHER);
  if (provesAbsence && !isAnother) {
    const error = job.error ?? exhausted(run, now);
    // It was never begun as far as anybody knows, and its account is being deleted.
    if (!error && isSettled && job.attemptNumber === 0 && run.account.status === 'deleting')
      return endAsCancelled(deps, run);
    // Uniqueness protects a second create by a native key, so that nothing has to settle before; "failed" it does not make true.
    const mayRepeat = isSettled || (hasNativeKey(run) && run.account.status !== 'deleting');
    if (!error && mayRepeat) return attemptWrite(deps, run, planned);
    if (error && isSettled) {
      const holder = job.unknownSends.find(({ keyHeldBy }) => keyHeldBy !== undefined)?.keyHeldBy;
      return holder === undefined
        ? failAfterProbe(deps, run, error, candidates)
        : askAbout(deps, run, holder);
    }
  }
  const untilMs = nextProbeAtMs(job.unknownSends, job.probes + 1, policy, now, hasNativeKey(run));
  if (untilMs === undefined) return askAPerson(deps, run, candidates);
  return waitInRecord(
    deps,
    run,
    { untilMs, reason: 'reconciling', wholeQueue: false },
    { probes: job.probes + 1, candidates },
  );
}

/** The provider says that a record has this job's key, and does not show it to the account's user. */
async function askAbout(deps: WriterDeps, run: Run, holder: string): Promise<NextStep> {
  const opened = await deps.credentialsOf(run.account.id);
  const why =
    'the provider says that it has the key of this job, and does not show it to the user of the account';
  const named =
    holder !== '' && opened
      ? [{ remote_id: holder, url: run.descriptor.recordUrl(opened.credentials, holder), why }]
      : [];
  return askAPerson(
    deps,
    run,
    named,
    `The provider has a record with the key of this job${holder && ` (${holder})`}, and does not show it to the account's user: it may not see what it wrote.`,
  );
}

async function lookUpFailed(
  deps: WriterDeps,
  run: Run,
  result: Parameters<typeof readOutcomeOf>[0],
): Promise<NextStep> {
  const { job } = run;
  const outcome = readOutcomeOf(result, run.descriptor, { method: 'GET', path: '', purpose: 'probe' });
  if (outcome.kind === 'needs_reauth') return holdForReauth(deps, run, outcome.message, {});
  const now = deps.clock.nowMs();
  if (outcome.kind === 'rate_limited') {
    const untilMs = outcome.limit.untilMs ?? now + backoffMs(1, deps.random());
    const wholeQueue = outcome.limit.scope !== 'parent';
    return waitInRecord(deps, run, { untilMs, reason: 'reconciling', wholeQueue }, {});
  }
  const probes = job.probes + 1;
  if (outcome.kind === 'permanent' || probes > run.policy.probes + FAILED_LOOKUPS_MAX)
    return askAPerson(deps, run, job.candidates);
  return waitInRecord(
    deps,
    run,
    { untilMs: now + backoffMs(probes, deps.random()), reason: 'reconciling', wholeQueue: false },
    { probes },
  );
}

/** Lost creates spend attempts and time like any other: once they are gone nothing is sent again. */
function exhausted(run: Run, nowMs: number): JobError | undefined {
  const { job, policy } = run;
  const last = job.attempts.at(-1);
  const message = last?.message ?? 'the answers to its creates were lost';
  if (job.attemptsSpent >= policy.maxAttempts)
    return jobErrorOf({ code: 'attempts_exhausted', message, httpStatus: last?.httpStatus });
  if (nowMs > deadlineOf(run, nowMs))
    return jobErrorOf({ code: 'deadline_exceeded', message, httpStatus: last?.httpStatus });
  return undefined;
}

async function endAsCancelled(deps: WriterDeps, run: Run): Promise<NextStep> {
  await persist(run.logger, 'cancelled', () =>
    deps.jobs.move(run.job, {
      to: 'cancelled',
      attempt: 0,
      generation: run.job.generation,
      onlyIdle: true,
      patch: { error: toJobError(new AppError('cancelled')), nextAttemptAtMs: null, waitReason: null },
    }),
  );
  return DONE;
}

/** The failure that waited for the look-up: nothing was written, so it stands. */
async function failAfterProbe(
  deps: WriterDeps,
  run: Run,
  error: JobError,
  candidates: Candidate[],
): Promise<NextStep> {
  // Kept: a retry looks for them all the same.
  const unknownSends = run.job.unknownSends.map((send) => ({ ...send, isJudged: true as const }));
  await persist(run.logger, 'failed', () =>
    deps.jobs.move(run.job, {
      to: 'failed',
      generation: run.job.generation,
      onlyIdle: true,
      patch: { error, candidates, unknownSends, nextAttemptAtMs: null, waitReason: null },
    }),
  );
  return DONE;
}
