import type { WriteFailure } from '../../shared/domain/failure.ts';
import type { BatchReading } from '../../shared/providers/batch-port.ts';
import type { Batch, BatchSent } from '../../shared/stores/import-batch-store.ts';
import { SEND_WITHIN_MS } from '../write-opportunity/attempt.ts';
import { outcomeOf } from '../write-opportunity/outcome.ts';
import { isSameSender, whoIs } from '../write-opportunity/sender.ts';
import { type Carried, carriable, freeKeys } from './batch-rows.ts';
import { type BatchRun, type BatchStep, isOlderThanEpoch, keyFieldOf, later } from './batch-run.ts';
import { lookFor, settleFound } from './look-for-rows.ts';
import { goAlone, isNotNow, SENDS_MAX, settleOutcomes } from './settle-batch.ts';

const OVER: BatchStep = { kind: 'over' };
/** After a lost answer: what is still being written at the provider is found. */
const DOUBT_MS = 1_500;

/** The first call of these rows, which are all of one chunk. */
export function beginBatch(run: BatchRun, chunk: number, rows: readonly Carried[]): Promise<BatchStep> {
  const batch: Batch = {
    chunk,
    rows: rows.map(({ stored }) => stored.row),
    ...{ sends: 0, sentAtMs: run.record.createdAtMs, inDoubt: false, doubtedBefore: false },
    keyField: keyFieldOf(run.account),
    ...sentBy(run),
  };
  return isOlderThanEpoch(run) ? sendAfterLooking(run, batch, rows) : send(run, batch, rows);
}

/** Redis may have forgotten what became of these rows. Sent again they would be written over: over what somebody changed since, too. */
async function sendAfterLooking(run: BatchRun, batch: Batch, rows: readonly Carried[]): Promise<BatchStep> {
  const looked = await lookFor(run, rows);
  if (looked.kind === 'refused') return scatter(run, rows, { ...batch, inDoubt: true });
  // Nothing says yet that they go together: they are taken anew.
  if (looked.kind !== 'found') return { kind: 'hold', untilMs: looked.untilMs };
  const unfound = await settleFound(run, batch, rows, looked.ids);
  return unfound.length === 0 ? OVER : send(run, batch, unfound);
}

/**
 * A batch that was begun: what was lost is looked for before anything is sent again. Sending a row twice is harmless here,
 * since its key is unique at the provider; that it is not reported as failed though it was written is what the looking is for.
 */
export async function resumeBatch(run: BatchRun, batch: Batch): Promise<BatchStep> {
  const { deps, record } = run;
  const left = await rowsLeft(run, batch);
  if (left.length === 0) return OVER;
  let unfound = left;
  if (batch.inDoubt) {
    const looked = await lookFor(run, left);
    // These keys cannot be asked for together, however often; each row finds out for itself, or a person does.
    if (looked.kind === 'refused') return scatter(run, left, batch);
    if (looked.kind !== 'found') return looked;
    unfound = await settleFound(run, batch, left, looked.ids);
  }
  if (unfound.length === 0) return OVER;
  const isHeld = record.stop !== undefined || record.status === 'paused';
  if (isHeld && !doubtOf(batch)) {
    if (record.stop)
      await freeKeys(
        deps,
        record,
        unfound.map(({ stored }) => stored),
      );
    await deps.batches.rest(record, batch);
    return OVER;
  }
  // With other credentials it could go to another organisation: each row finds out for itself, or a person does.
  const { grant, sender } = sentBy(run);
  const isAnother = batch.grant !== undefined && batch.grant !== grant && !isSameSender(batch.sender, sender);
  if (batch.sends >= SENDS_MAX || isHeld || (isAnother && doubtOf(batch)))
    return scatter(run, unfound, batch);
  return send(run, batch, unfound);
}

async function rowsLeft(run: BatchRun, batch: Batch): Promise<Carried[]> {
  const { deps, record } = run;
  const [stored = [], { again }] = await Promise.all([
    deps.rows.chunk(record, batch.chunk),
    deps.rows.results(record, batch.chunk),
  ]);
  const wanted = new Set(batch.rows);
  const left: Carried[] = [];
  for (const one of stored.filter(({ row }) => wanted.has(row))) {
    const earlier = again.get(one.row);
    const row = batch.keyField === keyFieldOf(run.account) ? carriable(run, one) : undefined;
    if (row) left.push({ stored: one, earlier, row });
    // The account's settings changed since: it cannot be sent as it was.
    else await goAlone(deps, run, { stored: one, earlier }, doubtOf(batch));
  }
  return left;
}

async function send(run: BatchRun, before: Batch, rows: readonly Carried[]): Promise<BatchStep> {
  const { deps, record, account, descriptor, signal } = run;
  const carried = rows.map(({ row }) => row);
  const numbers = rows.map(({ stored }) => stored.row);
  const request = descriptor.request(carried, account.settings);
  let sentAtMs = 0;
  const asked: { came?: BatchSent['kind'] } = {};
  const result = await deps.caller(account, {
    signal,
    isBulk: true,
    begin: async (gate, grant) => {
      // What was decided with other credentials is decided anew.
      if (grant !== account.credentialsVersion)
        return { kind: 'refused', why: 'the account has other credentials now' };
      sentAtMs = deps.clock.nowMs();
      const at = { ...before, ...sentBy(run) };
      const begun = await deps.batches.send(record, at, numbers, gate);
      asked.came = begun.kind;
      return begun.kind === 'held' || begun.kind === 'taken' ? { kind: 'refused', why: begun.kind } : begun;
    },
    fence: () => {
      if (signal.aborted) return 'the lock was lost before the batch left';
      return deps.clock.nowMs() > sentAtMs + SEND_WITHIN_MS ? 'the time to send had passed' : undefined;
    },
  })(request);
  const failure = outcomeOf(result, deps.descriptorOf(account.provider), request);
  if (asked.came !== 'begun') return notBegun(run, before, rows, asked.came, failure);
  const batch: Batch = {
    ...before,
    ...sentBy(run),
    rows: numbers,
    sends: before.sends + 1,
    sentAtMs,
    inDoubt: true,
    doubtedBefore: before.doubtedBefore || before.inDoubt,
  };
  const reading: BatchReading =
    result.kind === 'answered'
      ? descriptor.read(result, carried, request)
      : { kind: 'whole', failure: failureOf(failure) };
  deps.logger.info(
    {
      import_id: record.id,
      rows: rows.length,
      sends: batch.sends,
      outcome: reading.kind === 'rows' ? 'rows' : reading.failure.kind,
    },
    'batch.finished',
  );
  if (reading.kind === 'whole') return settleWhole(run, rows, batch, reading.failure);
  const stay = await settleOutcomes(run, batch, rows, reading.outcomes);
  if (stay.length === 0) return OVER;
  await deps.batches.refused(record, batch);
  const step = later(run, batch.sends - 1);
  const isCrowded = reading.outcomes.some(({ outcome }) => isNotNow(outcome));
  return isCrowded ? { ...step, crowded: true } : step;
}

/** An outcome of a call without an answer is never `written`. */
function failureOf(outcome: ReturnType<typeof outcomeOf>): WriteFailure {
  return outcome.kind === 'written'
    ? { kind: 'ambiguous', code: 'provider_bad_answer', message: 'the answer to a batch could not be read' }
    : outcome;
}

/** The whole call came to nothing: wait as it says, look first where it may have been written. */
async function settleWhole(
  run: BatchRun,
  rows: readonly Carried[],
  batch: Batch,
  failure: WriteFailure,
): Promise<BatchStep> {
  const { deps, record, account } = run;
  if (failure.kind === 'ambiguous') return { kind: 'wait', untilMs: deps.clock.nowMs() + DOUBT_MS };
  await deps.batches.refused(record, batch);
  switch (failure.kind) {
    case 'needs_reauth':
      await deps.accounts.parkForReauth(account, failure.message);
      return { kind: 'hold', untilMs: deps.clock.nowMs() + 1_000 };
    case 'rate_limited':
    case 'retryable': {
      const untilMs = failure.kind === 'rate_limited' ? failure.limit.untilMs : undefined;
      return { kind: 'hold', untilMs: untilMs ?? later(run, batch.sends).untilMs };
    }
    case 'permanent':
      return scatter(run, rows, { ...batch, inDoubt: false });
  }
}

/** The gate, the token or the allow-list said no, or another run was there first: nothing left. */
async function notBegun(
  run: BatchRun,
  before: Batch,
  rows: readonly Carried[],
  sent: BatchSent['kind'] | undefined,
  outcome: ReturnType<typeof outcomeOf>,
): Promise<BatchStep> {
  const { deps, record } = run;
  const now = deps.clock.nowMs();
  if (sent === 'held' && before.sends === 0) {
    const resting = rows.map(({ stored }) => stored);
    await freeKeys(deps, record, resting);
  }
  // The import was paused or stopped, or another run has the batch: the next look knows which.
  if (sent === 'held' || sent === 'taken') return { kind: 'hold', untilMs: now + 1 };
  if (outcome.kind === 'needs_reauth') {
    await deps.accounts.parkForReauth(run.account, outcome.message);
    return { kind: 'hold', untilMs: now + 1_000 };
  }
  const untilMs = outcome.kind === 'rate_limited' ? outcome.limit.untilMs : undefined;
  return { kind: 'hold', untilMs: untilMs ?? now + 1_000 };
}

/** Each row goes its own way. */
async function scatter(run: BatchRun, rows: readonly Carried[], batch: Batch): Promise<BatchStep> {
  await Promise.all(rows.map((carried) => goAlone(run.deps, run, carried, doubtOf(batch))));
  return OVER;
}

/** Who sends now. */
function sentBy({ account, facts }: BatchRun): Pick<Batch, 'grant' | 'sender'> {
  const { credentialsVersion: grant } = account;
  return { grant, sender: whoIs(facts, grant) };
}

/** The batch, if any of its calls may have written its rows. */
const doubtOf = (batch: Batch) => (batch.inDoubt || batch.doubtedBefore ? batch : undefined);
