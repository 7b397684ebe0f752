import type { RedisClient } from './connect.ts';

/** Thrown when fewer replicas than demanded have a write: it counts as not durable. */
export class BelowReplicaTarget extends Error {
  override name = 'BelowReplicaTarget';
}

/**
 * Resolves when what was written before is on as many replicas as are demanded.
 * @throws BelowReplicaTarget when it is not within half a second.
 */
export async function untilReplicated(redis: RedisClient, replicas: number): Promise<void> {
  if (replicas === 0) return;
  const have = await redis.wait(replicas, 500);
  if (have < replicas) throw new BelowReplicaTarget(`${have} of ${replicas} replicas have the write`);
}
