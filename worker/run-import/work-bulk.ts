import { firstRowOfChunk } from '../../shared/domain/import.ts';
import type { BulkClient } from '../../shared/providers/batch-port.ts';
import { advanceBulk, type BulkProgress, type BulkStep } from '../../shared/providers/bulk-steps.ts';
import type { BulkPatch, ImportBulk } from '../../shared/stores/import-bulk-store.ts';
import { type NextStep, waitUntil } from '../next-step.ts';
import { backoffMs } from '../write-opportunity/decide.ts';
import { type Cursor, freeKeys, restingRows } from './batch-rows.ts';
import { type BatchRun, isOlderThanEpoch, keyFieldOf } from './batch-run.ts';
import { collectFile } from './bulk-rows.ts';
import { settleBulk } from './settle-bulk.ts';

/** Uploads that are lost in a row; then the rows go in batches, which are smaller. */
const UPLOADS_LOST_MAX = 5;
/** Somebody else works on the job: how soon to look what became of it. */
const TAKEN_MS = 1_000;

type BulkRun = BatchRun & { client: BulkClient };

/**
 * Names the next rows as those of a bulk job, durably, and makes the job's first steps.
 * @returns undefined when there is no further row.
 */
export async function beginBulk(run: BulkRun, cursor: Cursor): Promise<NextStep | undefined> {
  const { deps, record, account } = run;
  const collected = await collectFile(run, run.client, cursor);
  if (!collected) return undefined;
  const { text, ...named } = collected;
  const begun = await deps.bulks.begin(record, { ...named, keyField: keyFieldOf(account) });
  const bulk = await deps.bulks.find(record);
  if (!begun || !bulk) {
    // Paused or stopped meanwhile, if nobody else has the rows.
    if (!bulk) await freeRange(run, named);
    return soon(run);
  }
  if (named.rows > 0) return stepBulk(run, bulk, text);
  await deps.bulks.settled(record, bulk);
  return soon(run);
}

/**
 * Goes on with the bulk job of an import from what is stored, as far as nothing has to be waited for: the job is looked at as
 * delayed work, and holds no place meanwhile. Once its file has arrived it runs to its end, whatever becomes of the import:
 * Salesforce tells of no point at which its rows could be stopped.
 */
export async function workBulk(run: BulkRun, bulk: ImportBulk, isHeld: boolean): Promise<NextStep> {
  const { deps, record, account } = run;
  if (bulk.progress?.step === 'giving_up') return goOnGivingUp(run, bulk);
  const isSent = isFileThere(bulk.progress);
  if (isSent && bulk.keyField !== keyFieldOf(account)) {
    // Its result files cannot be told apart by a field that the account no longer has.
    await deps.bulks.save(record, bulk, { left: 'doubted', progress: null });
    return soon(run);
  }
  if (!isSent && (isHeld || bulk.keyField !== keyFieldOf(account))) return giveUp(run, bulk);
  if (!isSent && isOlderThanEpoch(run)) {
    // Redis may have forgotten that it went: its rows are looked for, and not written over.
    await abort(run, bulk);
    await deps.bulks.save(record, bulk, { left: 'doubted', progress: null });
    return soon(run);
  }
  return stepBulk(run, bulk);
}

async function stepBulk(run: BulkRun, bulk: ImportBulk, text?: string): Promise<NextStep> {
  const { deps, record, account, client, signal } = run;
  const call = deps.caller(account, { signal, isBulk: true });
  let current = bulk;
  const save = async (patch: BulkPatch): Promise<boolean> => {
    // Until its file has arrived a pause or a stop of the import is heeded with every step.
    const isHeeding = !isFileThere(current.progress);
    if (!(await deps.bulks[isHeeding ? 'advance' : 'save'](record, current, patch))) return false;
    const progress = patch.progress === undefined ? current.progress : (patch.progress ?? undefined);
    const putOff = patch.putOff ?? current.putOff;
    current = { ...current, changes: current.changes + 1, progress, putOff };
    return true;
  };
  while (!signal.aborted) {
    const from = current.progress?.step ?? 'none';
    const step = await advanceBulk({
      client,
      call,
      settings: account.settings,
      progress: current.progress,
      file: async () => text ?? (await fileAgain(run, current)),
      save: (progress) => save({ progress }),
    });
    deps.logger.info({ import_id: record.id, from, came_to: step.kind }, 'bulk.step');
    switch (step.kind) {
      case 'taken':
        return waitUntil(deps.clock.nowMs() + TAKEN_MS);
      case 'refused':
        return refuse(run, current, step.failure.message);
      case 'ended':
        return endJob(run, current, step);
      case 'stopped':
        return putOff(run, current, step, save);
      case 'go_on': {
        const { progress, waitMs } = step;
        if (!(await save(patchOf(deps.clock.nowMs(), current.progress, progress))))
          return waitUntil(deps.clock.nowMs() + TAKEN_MS);
        if (waitMs > 0) return waitUntil(deps.clock.nowMs() + waitMs);
      }
    }
  }
  return soon(run);
}

function patchOf(now: number, before: BulkProgress | undefined, after: BulkProgress | undefined): BulkPatch {
  const isClosedNow = after?.step === 'closed' && before?.step !== 'closed';
  return {
    progress: after ?? null,
    ...(isClosedNow ? { closedAtMs: now } : {}),
    ...(isFileThere(after) ? { putOff: 0 } : {}),
  };
}

/** From here on the job is not given up: its closing may be on the way. */
function isFileThere(progress: BulkProgress | undefined): boolean {
  return progress?.step === 'uploaded' || progress?.step === 'closed' || progress?.step === 'done';
}

/** The file of rows that were named before, for a job that has to be opened anew. */
async function fileAgain(run: BulkRun, { first, last }: ImportBulk): Promise<string> {
  const underWay = new Set(await run.deps.rows.underWay(run.record));
  return (await collectFile(run, run.client, { from: first, to: last, underWay }))?.text ?? '';
}

async function putOff(
  run: BulkRun,
  current: ImportBulk,
  { progress, result }: Extract<BulkStep, { kind: 'stopped' }>,
  save: (patch: BulkPatch) => Promise<boolean>,
): Promise<NextStep> {
  const { deps, account } = run;
  const now = deps.clock.nowMs();
  const times = current.putOff + 1;
  if (result.kind === 'unanswered' && !isFileThere(progress) && times >= UPLOADS_LOST_MAX)
    return refuse(run, current, 'its file did not get through');
  await save({ progress: progress ?? null, ...(result.kind === 'deferred' ? {} : { putOff: times }) });
  if (result.kind === 'deferred') return waitUntil(result.untilMs);
  if (result.kind === 'needs_reauth') await deps.accounts.parkForReauth(account, result.message);
  return waitUntil(now + backoffMs(times, deps.random()));
}

/** Nothing of it was written, or will be. Said before anything is done: another run that has the job in hand makes no further step. */
async function giveUp(run: BulkRun, bulk: ImportBulk): Promise<NextStep> {
  const { deps, record } = run;
  const progress = { step: 'giving_up', jobId: bulk.progress?.jobId ?? '' } as const;
  if (!(await deps.bulks.save(record, bulk, { progress }))) return soon(run);
  return goOnGivingUp(run, { ...bulk, progress, changes: bulk.changes + 1 });
}

/** Its rows wait as if they had not been begun. */
async function goOnGivingUp(run: BulkRun, bulk: ImportBulk): Promise<NextStep> {
  const { deps, record } = run;
  await abort(run, bulk);
  if (record.stop) await freeRange(run, bulk);
  await deps.bulks.drop(record, bulk, bulk.first);
  return soon(run);
}

/** Heard or not: a job that is never closed is never worked. */
async function abort({ deps, account, client, signal }: BulkRun, bulk: ImportBulk): Promise<void> {
  const { jobId } = bulk.progress ?? {};
  if (jobId) await client.abort(deps.caller(account, { signal, isBulk: true }), account.settings, jobId);
}

/** What a job left unwritten waits as if it had not been begun: the import is held, or can send no batches any more. */
export async function restLeft(run: BulkRun, bulk: ImportBulk): Promise<NextStep> {
  if (run.record.stop) await freeRange(run, bulk);
  await run.deps.bulks.drop(run.record, bulk, bulk.first);
  return soon(run);
}

/** Not this way: the rows go in batches, and no further bulk job is tried. */
async function refuse(run: BulkRun, bulk: ImportBulk, message: string): Promise<NextStep> {
  await useBatches(run, message);
  await run.deps.bulks.drop(run.record, bulk, bulk.first);
  return soon(run);
}

async function useBatches({ deps, record, account }: BulkRun, message: string): Promise<void> {
  const { label } = deps.descriptorOf(account.provider);
  deps.logger.warn({ import_id: record.id, reason: message }, 'bulk.refused');
  await deps.imports.move(record, {
    from: ['queued', 'running', 'paused'],
    patch: {
      strategy: 'collections',
      strategyReason: `${label} took no bulk job: ${message}`,
      bulkRefused: true,
    },
  });
}

async function endJob(
  run: BulkRun,
  bulk: ImportBulk,
  ended: Extract<BulkStep, { kind: 'ended' }>,
): Promise<NextStep> {
  const { deps, record } = run;
  const left = await settleBulk(run, bulk, ended);
  const { message } = ended;
  deps.logger.info(
    {
      import_id: record.id,
      results: ended.outcomes.size,
      left: left.rows,
      in_doubt: left.isDoubted,
      message,
    },
    'bulk.finished',
  );
  // A column it does not know, a limit of the day: the next job would fare no better.
  if (ended.outcomes.size === 0 && message !== undefined) await useBatches(run, message);
  if (left.rows === 0) await deps.bulks.drop(record, bulk, bulk.last + 1);
  else if (left.isDoubted) await deps.bulks.save(record, bulk, { left: 'doubted', progress: null });
  else await deps.bulks.settled(record, bulk);
  return soon(run);
}

/** Frees the dedupe keys of rows that a job had and that are not begun after all. */
async function freeRange({ deps, record }: BulkRun, { first, last }: Pick<ImportBulk, 'first' | 'last'>) {
  const underWay = new Set(await deps.rows.underWay(record));
  for (let from = first; from <= last; ) {
    const { chunk, rows } = await restingRows(deps, record, { from, to: last, underWay });
    await freeKeys(deps, record, rows);
    from = firstRowOfChunk(chunk + 1);
  }
}

const soon = ({ deps }: BulkRun): NextStep => waitUntil(deps.clock.nowMs() + 1);
