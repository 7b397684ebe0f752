import type { Keys } from '../redis/keys.ts';
import { hexPlaceOfKey } from './dedupe-place.ts';

/** Where it stands which job wrote (or adopted) a record of the provider. */
export type ClaimPlaces = {
  /** Of a job that has its record. */
  own: string;
  /**
   * Of rows of imports whose record is gone: many to a hash, 60 bytes each instead of the 261 of a key of its own. A hash has the claims of
   * one period as long as the retention, and ends one retention after the last of them; this period's, then the last one's.
   */
  packed: readonly [string, string];
  /** Eight bytes, in hexadecimal. */
  fieldHex: string;
};

export function claimPlaces(
  keys: Keys,
  at: { partition: number; account: string; remoteId: string },
  time: { nowMs: number; retentionMs: number },
): ClaimPlaces {
  const { partition, account, remoteId } = at;
  const { bucket, fieldHex } = hexPlaceOfKey(remoteId);
  const period = Math.floor(time.nowMs / time.retentionMs);
  const packedOf = (of: number) => keys.claims(partition, account, of, bucket);
  return {
    own: keys.claim(partition, account, remoteId),
    packed: [packedOf(period), packedOf(period - 1)],
    fieldHex,
  };
}
