import { type JobRecord, type JobStatus, statusesBefore } from '../../shared/domain/job.ts';
import type { JobPatch, JobStore, Move, Moved, Started } from '../../shared/stores/job-store.ts';

export type ModelStore = Pick<JobStore, 'find' | 'start' | 'move'> & {
  add(job: JobRecord): void;
  all(): JobRecord[];
  status(id: string): JobStatus | undefined;
  /** As `requeue.lua`. */
  requeue(id: string): number;
};

/** The record store without Redis: what `start.lua` and `transition.lua` promise, in memory. */
export function createModelStore(claims: Map<string, string>, nowMs: () => number): ModelStore {
  const jobs = new Map<string, JobRecord>();
  const get = (id: string): JobRecord => {
    const job = jobs.get(id);
    if (!job) throw new Error(`no job ${id}`);
    return job;
  };
  return {
    add: (job) => void jobs.set(job.id, structuredClone(job)),
    all: () => [...jobs.values()],
    status: (id) => jobs.get(id)?.status,
    requeue: (id) => ++get(id).generation,
    async find(id) {
      const job = jobs.get(id);
      return job && structuredClone(job);
    },

    async start(seen, inFlight, attempt, { heldMs }): Promise<Started> {
      const job = get(seen.id);
      if (!['queued', 'waiting', 'running'].includes(job.status))
        return { kind: 'not_this_one', why: job.status };
      if (job.generation !== seen.generation) return { kind: 'not_this_one', why: 'superseded' };
      if (job.inFlight) return { kind: 'in_flight' };
      if (job.attemptNumber + 1 !== attempt.number) return { kind: 'not_this_one', why: 'superseded' };
      if (job.firstAttemptAtMs === undefined) {
        job.firstAttemptAtMs = nowMs();
        job.heldBaseMs = heldMs;
      }
      job.attemptNumber = attempt.number;
      job.inFlight = structuredClone(inFlight);
      job.attempts.push(structuredClone(attempt));
      job.status = 'running';
      job.waitReason = undefined;
      job.nextAttemptAtMs = undefined;
      return { kind: 'go', entered: [1, 0], sequence: ++job.sequence };
    },

    async move(seen, wanted): Promise<Moved> {
      const job = jobs.get(seen.id);
      if (!job) return { kind: 'refused', status: 'missing' };
      const from: readonly JobStatus[] = wanted.from ?? statusesBefore(wanted.to);
      if (!from.includes(job.status)) return { kind: 'refused', status: job.status };
      if (isFenced(job, wanted)) return { kind: 'fenced' };
      if (wanted.remoteId !== undefined) {
        const owner = claims.get(wanted.remoteId);
        if (owner !== undefined && owner !== job.id) return { kind: 'claimed', by: owner };
        claims.set(wanted.remoteId, job.id);
      }
      if (job.status !== wanted.to) job.sequence++;
      job.status = wanted.to;
      apply(job, structuredClone(wanted.patch ?? {}));
      if (wanted.newGeneration) job.generation++;
      return { kind: 'moved', sequence: job.sequence, generation: job.generation };
    },
  };
}

function isFenced(job: JobRecord, wanted: Move): boolean {
  if (wanted.attempt !== undefined && wanted.attempt !== job.attemptNumber) return true;
  if (wanted.generation !== undefined && wanted.generation !== job.generation) return true;
  return wanted.onlyIdle === true && job.inFlight !== undefined;
}

function apply(job: JobRecord, patch: JobPatch): void {
  const { nextAttemptAtMs, waitReason, inFlight, firstAttemptAtMs, attempt, ...plain } = patch;
  Object.assign(job, plain);
  if (nextAttemptAtMs !== undefined) job.nextAttemptAtMs = nextAttemptAtMs ?? undefined;
  if (waitReason !== undefined) job.waitReason = waitReason ?? undefined;
  if (inFlight === null) job.inFlight = undefined;
  if (firstAttemptAtMs !== undefined) job.firstAttemptAtMs = firstAttemptAtMs ?? undefined;
  if (attempt) {
    const at = job.attempts.findIndex(({ number }) => number === attempt.number);
    if (at >= 0) job.attempts[at] = attempt;
    else job.attempts.push(attempt);
  }
}
