import type { JobRecord } from '../domain/job.ts';
import { partitionOfId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

type JobRef = Pick<JobRecord, 'id' | 'account'>;

/**
 * What keeps two equal creates apart when nothing in the provider's record says which job made it: who may have made
 * such a record, whose outcome is lost, and which job a remote id belongs to.
 */
export function createUnknownStore(options: { redis: RedisClient; keys: Keys; retentionMs: number }) {
  const { redis, keys, retentionMs } = options;
  const partition = (job: JobRef) => partitionOfId(job.id) ?? 0;
  const alikeKey = (job: JobRef, fingerprint: string) => keys.alike(partition(job), job.account, fingerprint);
  const unsettledKey = (job: JobRef, parent: string) => keys.unsettled(partition(job), job.account, parent);

  async function addTo(key: string, job: JobRef): Promise<void> {
    await Promise.all([redis.sadd(key, job.id), redis.pexpire(key, retentionMs)]);
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

    /** Other jobs that may have made a record with this content and do not know yet. */
    async twins(job: JobRef, fingerprint: string): Promise<string[]> {
      const members = await redis.smembers(alikeKey(job, fingerprint));
      return members.filter((id) => id !== job.id);
    },

    /** The create of this job is lost: until it is settled nothing else is created under this parent. */
    block: (job: JobRef, parentId: string) => addTo(unsettledKey(job, parentId), job),

    /** Another job whose create under this parent is lost. */
    async blocker(job: JobRef, parentId: string): Promise<string | undefined> {
      const members = await redis.smembers(unsettledKey(job, parentId));
      return members.find((id) => id !== job.id);
    },

    /** The job a remote id belongs to. */
    async claimant(job: JobRef, remoteId: string): Promise<string | undefined> {
      return (await redis.get(keys.claim(partition(job), job.account, remoteId))) ?? undefined;
    },

    /** Gives the claim to this job. @returns the job that had it. */
    async takeClaim(job: JobRef, remoteId: string): Promise<string | undefined> {
      const previous = await redis.set(
        keys.claim(partition(job), job.account, remoteId),
        job.id,
        'PX',
        retentionMs,
        'GET',
      );
      return previous && previous !== job.id ? previous : undefined;
    },
  };
}
