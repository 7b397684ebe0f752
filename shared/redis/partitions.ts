import { createHash } from 'node:crypto';
import type { RedisClient } from './connect.ts';
import type { Keys } from './keys.ts';

/** At most 256, since a job id carries its partition in one byte. Fixed for the life of an installation. */
export const DEFAULT_PARTITIONS = 64;

// Every key of an account begins with its partition, several times per write: hashed once, not each time.
const hashes = new Map<string, number>();
const HASHES_KEPT = 20_000;

function hashOf(accountId: string): number {
  const known = hashes.get(accountId);
  if (known !== undefined) return known;
  const hash = createHash('sha1').update(accountId).digest().readUInt32BE(0);
  if (hashes.size >= HASHES_KEPT) hashes.clear();
  hashes.set(accountId, hash);
  return hash;
}

/** Accounts hash to partitions; the same everywhere and for ever. */
export function partitionOfAccount(accountId: string, partitions: number): number {
  return hashOf(accountId) % partitions;
}

/**
 * The installation's number of partitions: stored at first start, read afterwards.
 * @throws Error when what is stored is no usable number.
 */
export async function agreeOnPartitions(
  redis: RedisClient,
  keys: Keys,
  wanted = DEFAULT_PARTITIONS,
): Promise<number> {
  await redis.setnx(keys.partitions, String(wanted));
  const stored = Number(await redis.get(keys.partitions));
  if (!Number.isInteger(stored) || stored < 1 || stored > 256) {
    throw new Error(`${keys.partitions} holds ${stored}, which is no number of partitions from 1 to 256.`);
  }
  return stored;
}
