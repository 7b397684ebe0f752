import type { Logger } from '../../shared/logger.ts';
import type { AccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import type { JobStore } from '../../shared/stores/job-store.ts';
import type { Unknowns } from './deps.ts';

type TakeClaimDeps = {
  unknowns: Pick<Unknowns, 'claimant' | 'takeClaim'>;
  jobs: Pick<JobStore, 'find' | 'move'>;
  queues: Pick<AccountQueues, 'add' | 'activate'>;
  logger: Logger;
};

/**
 * A definite answer names a record that another job adopted by its looks: the adopter goes back to looking. Had that job a definite
 * answer as well, the provider named one record twice (it merged them, or was set back): that one was written, and stays so.
 *
 * In this order: a crash in between leaves two jobs that look again, never one that believes a record is its own.
 */
export function createTakeClaim(deps: TakeClaimDeps): Unknowns['takeClaim'] {
  return async (job, remoteId) => {
    const adopter = await deps.unknowns.claimant(job, remoteId);
    if (adopter !== undefined && adopter !== job.id) await reopenAdopter(deps, adopter);
    await deps.unknowns.takeClaim(job, remoteId);
  };
}

/** The record it adopted was another job's: it looks again, and sends again only if it finds nothing. */
async function reopenAdopter({ jobs, queues, logger }: TakeClaimDeps, jobId: string): Promise<void> {
  const adopter = await jobs.find(jobId);
  if (!adopter) return;
  if (adopter.attempts.at(-1)?.outcome === 'succeeded') {
    logger.warn({ job_id: jobId }, 'job.record_named_twice');
    return;
  }
  const moved = await jobs.move(adopter, {
    to: 'queued',
    from: ['succeeded', 'running', 'waiting'],
    newGeneration: true,
    patch: { written: undefined, result: undefined, inFlight: null },
  });
  if (moved.kind !== 'moved') return;
  await queues.add(adopter.account, jobId, moved.generation, PRIORITY.givenBack);
  await queues.activate(adopter.account);
  logger.warn({ job_id: jobId }, 'job.adoption_undone');
}
