import type { WriteFailure } from '../../shared/domain/failure.ts';
import { chunkOfRow, type ImportRecord } from '../../shared/domain/import.ts';
import type { BatchDescriptor, BatchReading } from '../../shared/providers/batch-port.ts';
import type { Batch } from '../../shared/stores/import-batch-store.ts';
import type { Harvest } from '../../shared/use-cases/work-rows.ts';
import { backoffMs } from '../write-opportunity/decide.ts';
import { outcomeOf } from '../write-opportunity/outcome.ts';
import { type Carried, carriable, takeRows } from './batch-rows.ts';
import type { RowContext } from './begin-row.ts';
import type { FeederDeps } from './deps.ts';
import { goAlone, settleOutcomes } from './settle-batch.ts';

/** What one step came to: go on at once, come back later, or there is nothing left to send. */
export type BatchStep = { kind: 'on' } | { kind: 'later'; untilMs: number } | { kind: 'through' };

const ON: BatchStep = { kind: 'on' };
/** Rows that became jobs of their own, beyond which no further batch is sent. */
const ALONE_MAX = 400;
/** Calls a batch is given; then each of its rows goes its own way, with a budget of its own. */
const SENDS_MAX = 5;
/** After a lost answer: what is still being written at the provider is found. */
const DOUBT_MS = 1_500;

/**
 * One step of an import in batches: what was lost is looked for before anything is sent again; else the next rows go.
 * Sending a row twice is harmless here, since its key is unique at the provider; that it is not reported as failed though
 * it was written is what the looking is for.
 */
export async function stepBatch(
  deps: FeederDeps,
  context: RowContext,
  descriptor: BatchDescriptor,
  open: Harvest['open'],
  signal: AbortSignal,
): Promise<BatchStep> {
  const { record } = context;
  const batch = await deps.batches.find(record);
  if (batch) return resume(deps, context, descriptor, batch, signal);
  if (open.length >= ALONE_MAX) return later(deps, 500);
  const taken = await takeRows(deps, context, descriptor, new Set(open.map(({ row }) => row)));
  if (!taken) return { kind: 'through' };
  if (taken.carried.length === 0) return ON;
  return send(deps, context, descriptor, taken.carried, 0, signal);
}

/** A batch that was begun: its rows that have neither a result nor a job are looked for, then sent again. */
async function resume(
  deps: FeederDeps,
  context: RowContext,
  descriptor: BatchDescriptor,
  batch: Batch,
  signal: AbortSignal,
): Promise<BatchStep> {
  const { record } = context;
  const left = await rowsLeft(deps, context, descriptor, batch);
  if (left.length === 0) return done(deps, record, batch);
  let unfound = left;
  if (batch.inDoubt) {
    const found = await look(deps, context, descriptor, left, signal);
    if (!found) return later(deps, backoffMs(batch.sends, deps.random()));
    unfound = left.filter(({ row }) => !found.has(row.key));
    await Promise.all(
      left.map(({ row, stored }) => {
        const remoteId = found.get(row.key);
        if (remoteId === undefined) return undefined;
        return deps.rows.settle(record, stored.row, { status: 'succeeded', remoteId }, stored);
      }),
    );
  }
  if (unfound.length === 0) return done(deps, record, batch);
  const isHeld = record.stop !== undefined || record.status === 'paused';
  if (batch.sends >= SENDS_MAX || isHeld) return scatter(deps, context, unfound, batch);
  return send(deps, context, descriptor, unfound, batch.sends, signal);
}

async function rowsLeft(
  deps: FeederDeps,
  context: RowContext,
  descriptor: BatchDescriptor,
  batch: Batch,
): Promise<Carried[]> {
  const { record } = context;
  const [first = 1] = batch.rows;
  const chunk = chunkOfRow(first);
  const [stored = [], { results, again }, underWay] = await Promise.all([
    deps.rows.chunk(record, chunk),
    deps.rows.results(record, chunk),
    deps.rows.underWay(record),
  ]);
  const wanted = new Set(batch.rows.filter((row) => !results.has(row) && !underWay.includes(row)));
  const left: Carried[] = [];
  for (const one of stored.filter(({ row }) => wanted.has(row))) {
    const earlier = again.get(one.row);
    const row = carriable(deps, context, descriptor, one);
    if (row) left.push({ stored: one, earlier, row });
    // The account's settings changed since: it cannot be sent as it was.
    else await goAlone(deps, context, { stored: one, earlier }, doubtOf(batch));
  }
  return left;
}

async function look(
  deps: FeederDeps,
  { account }: RowContext,
  descriptor: BatchDescriptor,
  rows: readonly Carried[],
  signal: AbortSignal,
): Promise<Map<string, string> | undefined> {
  const keys = rows.map(({ row }) => row.key);
  const answer = await deps.caller(account, { signal, isBulk: true })(
    descriptor.findRequest(keys, account.settings),
  );
  return answer.kind === 'answered' ? descriptor.readFound(answer, account.settings) : undefined;
}

async function send(
  deps: FeederDeps,
  context: RowContext,
  descriptor: BatchDescriptor,
  rows: readonly Carried[],
  sends: number,
  signal: AbortSignal,
): Promise<BatchStep> {
  const { record, account } = context;
  const carried = rows.map(({ row }) => row);
  const request = descriptor.request(carried, account.settings);
  let begun = false;
  const call = deps.caller(account, {
    signal,
    isBulk: true,
    begin: async (gate) => {
      const numbers = rows.map(({ stored }) => stored.row);
      const sent = await deps.batches.send(record, sends, numbers, gate);
      begun ||= sent.kind === 'begun';
      return sent;
    },
    fence: () => (signal.aborted ? 'the lock was lost before the batch left' : undefined),
  });
  const result = await call(request);
  if (!begun)
    return notBegun(deps, context, rows, outcomeOf(result, deps.descriptorOf(account.provider), request));
  const batch = await deps.batches.find(record);
  if (!batch) return ON;
  const reading: BatchReading =
    result.kind === 'answered'
      ? descriptor.read(result, carried, request)
      : {
          kind: 'whole',
          failure: failureOf(outcomeOf(result, deps.descriptorOf(account.provider), request)),
        };
  deps.logger.info(
    {
      import_id: record.id,
      rows: rows.length,
      sends: batch.sends,
      outcome: reading.kind === 'rows' ? 'rows' : reading.failure.kind,
    },
    'batch.finished',
  );
  if (reading.kind === 'rows') {
    await settleOutcomes(deps, context, batch, rows, reading.outcomes);
    return done(deps, record, batch);
  }
  return settleWhole(deps, context, rows, batch, reading.failure);
}

/** An outcome of a call without an answer is never `written`. */
function failureOf(outcome: ReturnType<typeof outcomeOf>): WriteFailure {
  return outcome.kind === 'written'
    ? { kind: 'ambiguous', code: 'provider_bad_answer', message: 'the answer to a batch could not be read' }
    : outcome;
}

/** The whole call came to nothing: wait as it says, look first where it may have been written. */
async function settleWhole(
  deps: FeederDeps,
  context: RowContext,
  rows: readonly Carried[],
  batch: Batch,
  failure: WriteFailure,
): Promise<BatchStep> {
  const { record, account } = context;
  if (failure.kind === 'ambiguous') return later(deps, DOUBT_MS);
  await deps.batches.refused(record, batch.sends);
  switch (failure.kind) {
    case 'needs_reauth':
      await deps.accounts.parkForReauth(account, failure.message);
      return later(deps, 1_000);
    case 'rate_limited':
      return failure.limit.untilMs === undefined
        ? later(deps, backoffMs(batch.sends, deps.random()))
        : { kind: 'later', untilMs: failure.limit.untilMs };
    case 'retryable':
      return later(deps, backoffMs(batch.sends, deps.random()));
    case 'permanent': {
      const known = await deps.batches.find(record);
      return scatter(deps, context, rows, known ?? batch);
    }
  }
}

/** The gate, the token or the allow-list said no, or another run was there first: nothing left. */
async function notBegun(
  deps: FeederDeps,
  context: RowContext,
  rows: readonly Carried[],
  outcome: ReturnType<typeof outcomeOf>,
): Promise<BatchStep> {
  // They are looked at again; the place to look from had moved past them.
  const first = rows[0]?.stored.row;
  if (first !== undefined) await deps.imports.lookFrom(context.record, first);
  if (outcome.kind === 'needs_reauth') {
    await deps.accounts.parkForReauth(context.account, outcome.message);
    return later(deps, 1_000);
  }
  const untilMs = outcome.kind === 'rate_limited' ? outcome.limit.untilMs : undefined;
  return untilMs === undefined ? later(deps, 1_000) : { kind: 'later', untilMs };
}

/** Each row goes its own way. */
async function scatter(
  deps: FeederDeps,
  context: RowContext,
  rows: readonly Carried[],
  batch: Batch,
): Promise<BatchStep> {
  await Promise.all(rows.map((carried) => goAlone(deps, context, carried, doubtOf(batch))));
  return done(deps, context.record, batch);
}

async function done(deps: FeederDeps, record: ImportRecord, batch: Batch): Promise<BatchStep> {
  await deps.batches.done(record, batch.sends);
  return ON;
}

/** The batch, if any of its calls may have written its rows. */
const doubtOf = (batch: Batch) => (batch.inDoubt || batch.doubtedBefore ? batch : undefined);

const later = (deps: FeederDeps, ms: number): BatchStep => ({
  kind: 'later',
  untilMs: deps.clock.nowMs() + ms,
});
