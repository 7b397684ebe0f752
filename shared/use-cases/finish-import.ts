import { AppError, toJobError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import { viewImport } from '../contract/import-view.ts';
import type { ImportRecord, ImportStatus } from '../domain/import.ts';
import type { EventType } from '../domain/webhook.ts';
import type { ImportStore } from '../stores/import-store.ts';
import type { WebhookTeller } from './tell-webhooks.ts';

export type FinishDeps = {
  imports: Pick<ImportStore, 'find' | 'move' | 'expire'>;
  teller: Pick<WebhookTeller, 'isHeard'>;
  clock: Clock;
};

type Ending = Extract<ImportStatus, 'completed' | 'cancelled' | 'failed'>;

const OPEN: readonly ImportStatus[] = ['queued', 'running', 'paused'];

/**
 * Ends an import whose rows have all ended, or that was stopped and has no row under way. May be repeated.
 * @returns whether it has ended.
 */
export async function finishImport(deps: FinishDeps, id: string): Promise<boolean> {
  const record = await deps.imports.find(id);
  if (!record || !OPEN.includes(record.status)) return true;
  const { counts, stop } = record;
  if (counts.running > 0) return false;
  if (!stop && counts.queued > 0) return false;
  const to: Ending = stop === undefined ? 'completed' : stop === 'cancelled' ? 'cancelled' : 'failed';
  const finishedAtMs = deps.clock.nowMs();
  const error = stop === 'max_errors' ? toJobError(new AppError('import_max_errors')) : undefined;
  const cancelledRows = counts.cancelled + counts.queued;
  const ended: ImportRecord = {
    ...record,
    ...{ status: to, finishedAtMs, updatedAtMs: finishedAtMs, error },
    revision: record.revision + 1,
    counts: { ...counts, queued: 0, cancelled: cancelledRows },
  };
  // Before it ends: nobody would come to do it afterwards. What needs a person never expires.
  if (counts.needs_review === 0) await deps.imports.expire(record);
  const type: EventType = `import.${to}`;
  const event = (await deps.teller.isHeard(record.workspace, type))
    ? { type, workspace: record.workspace, data: viewImport(ended, finishedAtMs) }
    : undefined;
  const moved = await deps.imports.move(record, {
    to,
    from: OPEN,
    ends: true,
    patch: { finishedAtMs, error, ...(counts.queued > 0 ? { cancelledRows } : {}) },
    event,
  });
  return moved.kind === 'moved' || moved.kind === 'refused';
}

/** An upload that will not be whole: nothing of it stays. May be repeated, and is where somebody died over it. */
export async function giveUpUpload(
  deps: { imports: Pick<ImportStore, 'giveUp' | 'erase' | 'find'> },
  record: ImportRecord,
): Promise<void> {
  if (!(await deps.imports.giveUp(record))) return;
  // As it is now: chunks may have come since it was read.
  await deps.imports.erase((await deps.imports.find(record.id)) ?? record);
}
