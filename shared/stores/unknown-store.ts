import type { Clock } from '../clock.ts';
import { isEnded, isSettled, JOB_STATUSES, type JobRecord, type JobStatus } from '../domain/job.ts';
import { partitionOfId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { claimPlaces } from './claim-places.ts';

type JobRef = Pick<JobRecord, 'id' | 'account'>;

/**
 * What keeps two equal creates apart when nothing in the provider's record says which job made it: who may have made
 * such a record, whose outcome is lost, and which job a remote id belongs to.
 */
export function createUnknownStore(options: {
  redis: RedisClient;
  keys: Keys;
  clock: Clock;
  retentionMs: number;
}) {
  const { redis, keys, clock, retentionMs } = options;
  const partition = (job: JobRef) => partitionOfId(job.id) ?? 0;
  const alikeKey = (job: JobRef, fingerprint: string) => keys.alike(partition(job), job.account, fingerprint);
  const unsettledKey = (job: JobRef, parent: string) => keys.unsettled(partition(job), job.account, parent);

  async function addTo(key: string, job: JobRef): Promise<void> {
    await Promise.all([redis.sadd(key, job.id), redis.pexpire(key, retentionMs)]);
  }

  /**
   * Members of a set whose job is still `open`; the others are taken out. A worker that dies between the end of a job
   * and its `settle` leaves it in here, and so does whoever ends a job by a person's word.
   */
  async function openMembers(
    key: string,
    job: JobRef,
    isClosed: (status: JobStatus) => boolean,
  ): Promise<string[]> {
    const others = (await redis.smembers(key)).filter((id) => id !== job.id);
    const statuses = await Promise.all(
      others.map((id) => redis.hget(keys.job(partition(job), id), 'status')),
    );
    const closed = others.filter((_, i) => {
      const status = JOB_STATUSES.find((known) => known === statuses[i]);
      return status === undefined || isClosed(status);
    });
    if (closed.length > 0) await redis.srem(key, ...closed);
    return others.filter((id) => !closed.includes(id));
  }

  const placesOf = (job: JobRef, remoteId: string) =>
    claimPlaces(
      keys,
      { partition: partition(job), account: job.account, remoteId },
      { nowMs: clock.nowMs(), retentionMs },
    );

  async function claimant(job: JobRef, remoteId: string): Promise<string | undefined> {
    const { own, packed, fieldHex } = placesOf(job, remoteId);
    const field = Buffer.from(fieldHex, 'hex');
    const [first, ...others] = await Promise.all([
      redis.get(own),
      ...packed.map((key) => redis.hget(key, field)),
    ]);
    return first ?? others.find((owner) => owner !== null) ?? undefined;
  }

  return {
    /** Before the first byte: this job may make a record with this content. */
    announce: (job: JobRef, fingerprint: string) => addTo(alikeKey(job, fingerprint), job),

    /** The outcome is known: nobody has to wait for this job any more. */
    async settle(job: JobRef, fingerprint: string, parentId: string | undefined): Promise<void> {
      await Promise.all([
        redis.srem(alikeKey(job, fingerprint), job.id),
        ...(parentId ? [redis.srem(unsettledKey(job, parentId), job.id)] : []),
      ]);
    },

    /** Other jobs that may have made a record with this content and do not know yet; those in review may for ever. */
    twins: (job: JobRef, fingerprint: string): Promise<string[]> =>
      openMembers(alikeKey(job, fingerprint), job, isEnded),

    /** The create of this job is lost: until it is settled nothing else is created under this parent. */
    block: (job: JobRef, parentId: string) => addTo(unsettledKey(job, parentId), job),

    /** Another job whose create under this parent is lost. One in review looks no more: nothing can confuse it. */
    async blocker(job: JobRef, parentId: string): Promise<string | undefined> {
      const [first] = await openMembers(unsettledKey(job, parentId), job, isSettled);
      return first;
    },

    /** The job a remote id belongs to. */
    claimant,

    /** Gives the claim to this job. @returns the job that had it. */
    async takeClaim(job: JobRef, remoteId: string): Promise<string | undefined> {
      const packed = await claimant(job, remoteId);
      const previous =
        (await redis.set(placesOf(job, remoteId).own, job.id, 'PX', retentionMs, 'GET')) ?? packed;
      return previous && previous !== job.id ? previous : undefined;
    },
  };
}
