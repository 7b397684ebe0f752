import { createHash } from 'node:crypto';
import { rowJobId } from '../ids.ts';

/**
 * Where a dedupe key of an account stands: in one of 4,096 hashes, under eight bytes. Short, since a large import has one for
 * each row; 64 bits, with the bucket's twelve beside them, so that two keys are never taken for one.
 */
export function placeOfKey(dedupeKey: string): { bucket: string; field: Buffer } {
  const hash = createHash('sha256').update(dedupeKey).digest();
  return { bucket: hash.toString('hex', 8, 10).slice(0, 3), field: hash.subarray(0, 8) };
}

/** A row as owner of a dedupe key: the sixteen bytes of its job's id. */
export function ownerOf(importId: string, row: number): Buffer {
  return bytesOfJob(rowJobId(importId, row));
}

export function bytesOfJob(jobId: string): Buffer {
  return Buffer.from(jobId.replaceAll('-', ''), 'hex');
}

/** Job id of an owner of a dedupe key, as scripts return it: in hexadecimal. */
export function jobOfOwner(owner: string): string {
  return owner.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
