import { type ImportRecord, isImportEnded } from '../../shared/domain/import.ts';
import type { BatchDescriptor } from '../../shared/providers/batch-port.ts';
import { readByOneGrant } from '../../shared/providers/read-by-one-grant.ts';
import { ImportMessage } from '../../shared/queues/messages.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { finishImport } from '../../shared/use-cases/finish-import.ts';
import { type Harvest, harvestRows, withdrawRows } from '../../shared/use-cases/work-rows.ts';
import { DONE, type NextStep, type Processor, waitUntil } from '../next-step.ts';
import type { FeederDeps } from './deps.ts';
import { feedRows } from './feed.ts';
import { createLaneWidths } from './lane-widths.ts';
import { workTogether } from './together.ts';

/** How soon the feeder comes back: while something moves, while nothing does, and while every row waits. */
const LOOK_MS = { moving: 200, still: 500, waiting: 2_000, held: 5_000 } as const;

/**
 * Works one import, one look at a time: what ended becomes results, the next rows become jobs, and the engine's place is
 * given back. Whatever a crash leaves half done is done by the next look, since every step of it may be repeated.
 */
export function createFeeder(deps: FeederDeps): Processor {
  const widths = createLaneWidths();
  return async (data, signal) => {
    const message = ImportMessage.parse(data);
    const record = await deps.imports.find(message.import);
    if (!record || record.status === 'receiving' || isImportEnded(record.status)) return DONE;
    if (record.generation !== message.generation) return DONE;
    const account = await deps.accounts.get(record.account);
    if (!account) return DONE;
    if (account.status !== 'active' && account.status !== 'deleting')
      return waitUntil(deps.clock.nowMs() + LOOK_MS.held, true);
    const harvest = await harvestRows(deps, record);
    const stopped = await stopAtMaxErrors(deps, record.id);
    if (!stopped) return DONE;
    const isHeld = stopped.stop !== undefined || stopped.status === 'paused';
    const descriptor = await descriptorOf(deps, stopped, account, isHeld);
    if (descriptor) {
      const facts = await readFacts(deps, account, signal);
      if (!facts) return waitUntil(deps.clock.nowMs() + LOOK_MS.waiting);
      const run = { deps, record: stopped, account, facts, descriptor, signal };
      const step = await workTogether(run, {
        ...{ client: deps.bulkOf(account.provider), open: harvest.open, isHeld, widths },
        isStopped: async () => {
          if (stopped.options.maxErrors === undefined) return false;
          return (await stopAtMaxErrors(deps, record.id))?.stop !== undefined;
        },
      });
      if (step) return step;
    }
    if (isHeld) return wind(deps, stopped);
    const begun = descriptor ? 0 : await feedRows(deps, stopped, account, harvest.open);
    if (await finishImport(deps, record.id)) {
      widths.forget(record.id);
      return logEnd(deps, record.id);
    }
    // The place to look from is only a hint: rows may have been given back below it by somebody who died.
    if (descriptor && harvest.open.length === 0) await deps.imports.lookFrom(stopped, 1);
    return comeBack(deps, account.id, harvest, begun);
  };
}

/**
 * How the account takes many rows at once; undefined when rows go singly, and nothing that went otherwise is under way: an
 * account that lost its marker writes what is left singly.
 */
async function descriptorOf(
  deps: FeederDeps,
  record: ImportRecord,
  account: Account,
  isHeld: boolean,
): Promise<BatchDescriptor | undefined> {
  const descriptor = record.strategy === 'single' ? undefined : deps.batchOf(account.provider);
  if (!descriptor) return undefined;
  if (descriptor.isPossible(account.settings) && !isHeld) return descriptor;
  const [bulk, batches] = await Promise.all([deps.bulks.find(record), deps.batches.list(record)]);
  return bulk || batches.length > 0 ? descriptor : undefined;
}

/** Live values the mapping needs; undefined: not now. */
async function readFacts(deps: FeederDeps, account: Account, signal: AbortSignal) {
  const known = await deps.accounts.facts(account.id);
  if (known) return known;
  const call = deps.caller(account, { signal, isBulk: true });
  const looked = await readByOneGrant(deps.credentialsOf, account.id, () =>
    deps.clientOf(account.provider).fetchFacts(call, deps.clock.nowMs(), account.settings),
  );
  if (looked.ok) {
    await deps.accounts.putFacts(account.id, looked.value);
    return looked.value;
  }
  if (looked.result.kind === 'needs_reauth')
    await deps.accounts.parkForReauth(account, looked.result.message);
  return undefined;
}

/** The record as it is after the harvest, stopped if too many of its rows have failed. */
async function stopAtMaxErrors(deps: FeederDeps, id: string): Promise<ImportRecord | undefined> {
  const record = await deps.imports.find(id);
  const { maxErrors } = record?.options ?? {};
  if (!record || record.stop || maxErrors === undefined || record.counts.failed < maxErrors) return record;
  await deps.imports.move(record, { from: ['queued', 'running', 'paused'], patch: { stop: 'max_errors' } });
  return deps.imports.find(id);
}

/** Begins nothing more, and goes on until what is under way has ended. */
async function wind(deps: FeederDeps, record: ImportRecord): Promise<NextStep> {
  await withdrawRows(deps, record, record.stop ? 'cancel' : 'wait');
  await harvestRows(deps, record);
  if (record.stop && (await finishImport(deps, record.id))) return logEnd(deps, record.id);
  const left = await deps.rows.underWay(record);
  if (!record.stop && left.length === 0) return DONE;
  return waitUntil(deps.clock.nowMs() + LOOK_MS.still);
}

async function logEnd(deps: FeederDeps, id: string): Promise<NextStep> {
  const record = await deps.imports.find(id);
  deps.logger.info({ import_id: id, status: record?.status, ...record?.counts }, 'import.finished');
  return DONE;
}

async function comeBack(
  deps: FeederDeps,
  account: string,
  { settled, open }: Harvest,
  begun: number,
): Promise<NextStep> {
  const now = deps.clock.nowMs();
  // Nothing leaves before: looking would only cost.
  const { blockedUntilMs } = await deps.readGate(account, now);
  if (blockedUntilMs !== undefined) return waitUntil(Math.max(blockedUntilMs, now + LOOK_MS.moving));
  if (settled > 0 || begun > 0) return waitUntil(now + LOOK_MS.moving);
  const allWait = open.length > 0 && open.every(({ status }) => status === 'waiting');
  return waitUntil(now + (allWait ? LOOK_MS.waiting : LOOK_MS.still));
}
