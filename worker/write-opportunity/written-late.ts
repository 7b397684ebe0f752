import type { Attempt, Written } from '../../shared/domain/job.ts';
import type { JobPatch, Moved } from '../../shared/stores/job-store.ts';
import { DONE, type NextStep, waitUntil } from '../next-step.ts';
import type { Run, WriterDeps } from './deps.ts';
import { persist } from './persist.ts';

/**
 * The record moved on while this run was calling (lock lost, reviewed, failed): a definite answer still wins. It is
 * put into the record, and a fresh run completes it.
 */
export async function giveWrittenBack(
  deps: WriterDeps,
  run: Run,
  written: Written,
  attempt: Attempt | undefined,
  refused: Moved,
): Promise<NextStep> {
  run.logger.warn({ remote_id: written.remoteId, refused: refused.kind }, 'job.written_late');
  // Another job was told meanwhile that the record is its own: look again.
  if (refused.kind === 'claimed' && written.by === 'reconciled') return waitUntil(deps.clock.nowMs() + 1_000);
  if (refused.kind === 'claimed' || written.by !== 'succeeded') return DONE;
  const patch: JobPatch = { written, inFlight: null, ...(attempt ? { attempt } : {}) };
  for (;;) {
    const current = await persist(run.logger, 'late answer', () => deps.jobs.find(run.job.id));
    if (!current) return DONE;
    if (current.written || current.status === 'succeeded') {
      const other = current.written?.remoteId;
      if (other !== written.remoteId)
        run.logger.error({ remote_id: written.remoteId, other_remote_id: other }, 'job.second_record');
      return DONE;
    }
    const moved = await persist(run.logger, 'late answer', () =>
      deps.jobs.move(current, {
        to: current.status === 'running' ? 'waiting' : 'queued',
        // It moves on while we look: then look again.
        from: [current.status],
        remoteId: written.remoteId,
        newGeneration: true,
        lookAtMs: deps.clock.nowMs(),
        patch,
      }),
    );
    if (moved.kind !== 'refused') return DONE;
  }
}
