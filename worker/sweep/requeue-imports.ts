import type { Clock } from '../../shared/clock.ts';
import { isGivenUp, isImportEnded } from '../../shared/domain/import.ts';
import type { Logger } from '../../shared/logger.ts';
import type { AccountQueues } from '../../shared/queues/account-queues.ts';
import type { ImportStore } from '../../shared/stores/import-store.ts';
import { giveUpUpload } from '../../shared/use-cases/finish-import.ts';

/** Imports looked at in one partition and one sweep. */
const BATCH = 200;
/** An open import whose feeder the engine has is looked at again this much later. */
const LOOK_AGAIN_MS = 60_000;

export type ImportSweepDeps = {
  partitions: number;
  imports: Pick<ImportStore, 'due' | 'find' | 'move' | 'lookAgain' | 'forget' | 'giveUp' | 'erase'>;
  queues: Pick<AccountQueues, 'addImport' | 'has' | 'activate'>;
  clock: Clock;
  /** How long an upload may stand still. */
  idleMs: number;
  logger: Logger;
};

/**
 * Queues the feeders of open imports again that the engine does not have, and removes uploads whose client or API process
 * died. @returns how many were healed.
 */
export async function requeueImports(deps: ImportSweepDeps): Promise<number> {
  let healed = 0;
  for (let p = 0; p < deps.partitions; p++) {
    for (const at of await deps.imports.due(p, BATCH)) {
      try {
        if (await heal(deps, at)) healed += 1;
      } catch (err) {
        deps.logger.warn({ err, import_id: at.id }, 'import.not_healed');
        await deps.imports.lookAgain(at, LOOK_AGAIN_MS);
      }
    }
  }
  return healed;
}

async function heal(deps: ImportSweepDeps, at: { account: string; id: string }): Promise<boolean> {
  const { imports, queues, logger } = deps;
  const record = await imports.find(at.id);
  if (!record || (isImportEnded(record.status) && !isGivenUp(record))) {
    await imports.forget(at);
    return false;
  }
  if (record.status === 'receiving' || isGivenUp(record)) {
    await giveUpUpload(deps, record);
    logger.warn({ import_id: record.id, rows: record.counts.total }, 'import.upload_given_up');
    return true;
  }
  const isAtRest = record.status === 'paused' && record.stop === undefined && record.counts.running === 0;
  if (isAtRest || (await queues.has(record.account, record.id, record.generation))) {
    await imports.lookAgain(record, LOOK_AGAIN_MS);
    if (!isAtRest) await queues.activate(record.account);
    return false;
  }
  const moved = await imports.move(record, {
    from: ['queued', 'running', 'paused'],
    newGeneration: true,
  });
  if (moved.kind !== 'moved') return false;
  await queues.addImport(record.account, record.id, moved.generation);
  await queues.activate(record.account);
  logger.warn(
    { import_id: record.id, account_id: record.account, generation: moved.generation },
    'import.requeued',
  );
  return true;
}
