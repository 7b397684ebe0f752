import { createHash } from 'node:crypto';
import { rowJobId } from '../ids.ts';

/**
 * Where a dedupe key of an account stands: in one of 4,096 hashes, under eleven characters. Short, since a large import has one for
 * each row; 64 bits, with the bucket's twelve beside them, so that two keys are never taken for one.
 */
export function placeOfKey(dedupeKey: string): { bucket: string; field: string } {
  const hash = createHash('sha256').update(dedupeKey).digest();
  return { bucket: hash.toString('hex', 8, 10).slice(0, 3), field: hash.toString('base64url', 0, 8) };
}

/** A row as owner of a dedupe key: its job's id in 22 characters. */
export function ownerOf(importId: string, row: number): string {
  return Buffer.from(rowJobId(importId, row).replaceAll('-', ''), 'hex').toString('base64url');
}

/** Job id of an owner of a dedupe key. */
export function jobOfOwner(owner: string): string {
  const hex = Buffer.from(owner, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
