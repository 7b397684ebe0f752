import type { Attempt, AttemptOutcome, InFlight } from '../../shared/domain/job.ts';
import { timeoutOf } from '../../shared/providers/caller.ts';
import type { Farewell } from '../../shared/providers/gate.ts';
import type { CallResult } from '../../shared/providers/port.ts';
import type { Started } from '../../shared/stores/job-store.ts';
import { DONE, type NextStep, waitUntil } from '../next-step.ts';
import { completeWrite } from './complete.ts';
import { beginDeadline, type Run, type WriterDeps, withinDeadline } from './deps.ts';
import { endAsFailed, holdForReauth, waitInRecord } from './endings.ts';
import { outcomeOf } from './outcome.ts';
import type { Planned } from './plan.ts';
import { whoIs } from './sender.ts';
import { describeFailure, settleFailure } from './settle-failure.ts';

type Plan = Extract<Planned, { kind: 'plan' }>;

/** Once `start` is durable the request must begin within this time, or not at all: a frozen process does not send on thaw. */
export const SEND_WITHIN_MS = 10_000;

/** One create: gate → start (durable) → call → what the answer means → what is next. */
export async function attemptWrite(deps: WriterDeps, run: Run, planned: Plan): Promise<NextStep> {
  const { job, account } = run;
  const attempt: Attempt = { number: job.attemptNumber + 1, startedAtMs: 0 };
  let inFlight: InFlight | undefined;
  let isProbe = false;
  let notStarted: Exclude<Started, { kind: 'go' | 'not_yet' }> | undefined;
  let farewell: Farewell | undefined;
  const call = deps.caller(account, {
    signal: run.signal,
    isBulk: run.isBulk,
    parentId: planned.plan.parentId,
    onFarewell(own) {
      farewell = own;
    },
    begin: async (gate, grant) => {
      // The way through the gate can be long: what was decided with other credentials is decided anew.
      if (grant !== account.credentialsVersion)
        return { kind: 'refused', why: 'the account has other credentials now' };
      const now = deps.clock.nowMs();
      attempt.startedAtMs = now;
      const intent: InFlight = {
        attempt: attempt.number,
        token: attempt.number,
        startedAtMs: now,
        sendBeforeMs: now + SEND_WITHIN_MS,
        sentAtProviderMs: deps.providerTime(account.id, now),
        timeoutMs: timeoutOf(account),
        marker: run.marker ? { kind: run.marker.kind, field: run.marker.field } : null,
        grant,
        sender: whoIs(planned.facts, grant),
      };
      const { parentId } = planned.plan;
      const unmarked = run.marker
        ? {}
        : // A job that comes from its own doubt has looked: two of them must not wait for each other.
          { alike: planned.fingerprint, parentId: job.unknownSends.length > 0 ? undefined : parentId };
      const started = await deps.jobs.start(job, intent, attempt, {
        gate,
        heldMs: account.heldMs,
        ...unmarked,
      });
      switch (started.kind) {
        case 'go':
          inFlight = intent;
          // What this run stores from now on, follow-ups included, is said of this attempt: of the one before, it is fenced.
          job.attemptNumber = attempt.number;
          isProbe = started.isProbe === true;
          return { kind: 'begun', entered: started.entered };
        case 'not_yet':
          return started;
        default:
          notStarted = started;
          return { kind: 'refused', why: `not started: ${started.kind}` };
      }
    },
    fence: () => {
      if (run.signal.aborted) return 'the lock was lost before the request left';
      if (!inFlight || deps.clock.nowMs() > inFlight.sendBeforeMs) return 'the time to send had passed';
      return undefined;
    },
  });
  const result = await call(planned.plan.create);
  if (notStarted) return afterNotStarted(deps, run, planned, notStarted);
  if (!inFlight) return endUnstarted(deps, run, planned, result);

  try {
    return await follow(deps, run, planned, { result, attempt, inFlight, isProbe, farewell });
  } finally {
    // Whatever came of it; told with the record, it is not told again.
    farewell?.say();
  }
}

type Ended = {
  result: CallResult;
  attempt: Attempt;
  inFlight: InFlight;
  isProbe: boolean;
  farewell: Farewell | undefined;
};

/** What follows from the end of a create's call. */
async function follow(deps: WriterDeps, run: Run, planned: Plan, ended: Ended): Promise<NextStep> {
  const { result, attempt, inFlight, isProbe, farewell } = ended;
  const outcome = outcomeOf(result, run.descriptor, planned.plan.create);
  attempt.finishedAtMs = deps.clock.nowMs();
  logAttempt(deps, run, attempt, outcome.kind, 'code' in outcome ? outcome.code : undefined);
  if (outcome.kind === 'written') {
    Object.assign(attempt, { outcome: 'succeeded' satisfies AttemptOutcome, httpStatus: outcome.httpStatus });
    const written = {
      remoteId: outcome.remoteId,
      answer: outcome.answer,
      by: 'succeeded',
      httpStatus: outcome.httpStatus,
    } as const;
    return completeWrite(deps, run, planned, written, { attempt, farewell });
  }
  describeFailure(attempt, outcome, planned.plan, result);
  return settleFailure(deps, run, planned, outcome, { attempt, inFlight, isProbe });
}

async function afterNotStarted(
  deps: WriterDeps,
  run: Run,
  { plan }: Plan,
  why: Exclude<Started, { kind: 'go' | 'not_yet' }>,
): Promise<NextStep> {
  const now = deps.clock.nowMs();
  if (why.kind === 'in_flight') return waitUntil(now + 1_000);
  if (why.kind === 'not_this_one') return DONE;
  const blocker = plan.parentId && (await deps.unknowns.blocker(run.job, plan.parentId));
  if (!blocker) return waitUntil(now);
  // Under this parent a create is lost: a second one now could not be told from it.
  return waitInRecord(deps, run, { untilMs: now + 3_000, reason: 'retry_backoff', wholeQueue: false }, {});
}

/** The gate, the token or the allow-list said no before anything was begun: no attempt was made. */
function endUnstarted(deps: WriterDeps, run: Run, planned: Plan, result: CallResult): Promise<NextStep> {
  const outcome = outcomeOf(result, run.descriptor, planned.plan.create);
  if (outcome.kind === 'needs_reauth') return holdForReauth(deps, run, outcome.message, {});
  if (outcome.kind === 'permanent') return endAsFailed(deps, run, outcome, {});
  const now = deps.clock.nowMs();
  const untilMs =
    outcome.kind === 'rate_limited' && outcome.limit.untilMs ? outcome.limit.untilMs : now + 1_000;
  const reason = result.kind === 'deferred' ? result.reason : 'rate_limited';
  const wholeQueue = !(outcome.kind === 'rate_limited' && outcome.limit.scope === 'parent');
  return waitInRecord(
    deps,
    run,
    { untilMs: withinDeadline(run, untilMs, now), reason, wholeQueue },
    reason === 'retry_backoff' ? beginDeadline(run, now) : {},
  );
}

function logAttempt(
  deps: WriterDeps,
  run: Run,
  attempt: Attempt,
  outcome: string,
  code: string | undefined,
): void {
  const durationMs = (attempt.finishedAtMs ?? attempt.startedAtMs) - attempt.startedAtMs;
  deps.onAttempt({ provider: run.account.provider, outcome, durationMs });
  run.logger.info(
    { attempt: attempt.number, max: run.policy.maxAttempts, outcome, code, duration_ms: durationMs },
    'attempt.finished',
  );
}
