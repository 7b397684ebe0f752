import type { JobRecord } from './job.ts';

/** A moment after which Redis may know less than the providers do: a failover, or a restore from a backup. */
export type Epoch = { number: number; atMs: number };

/** Whether Redis may have forgotten what became of a job, and its provider was not asked about it since. */
export function isDoubtedSince(
  { number, atMs }: Epoch,
  job: Pick<JobRecord, 'epoch' | 'createdAtMs' | 'written'>,
): boolean {
  return job.epoch < number && job.createdAtMs <= atMs && job.written === undefined;
}
