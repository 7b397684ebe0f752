import { hash } from 'node:crypto';
import { rowJobId } from '../ids.ts';

/**
 * Where a dedupe key of an account stands: in one of 4,096 hashes, under eight bytes. Short, since a large import has one for
 * each row; 64 bits, with the bucket's twelve beside them, so that two keys are never taken for one.
 */
export function placeOfKey(dedupeKey: string): { bucket: string; field: Buffer } {
  const { bucket, fieldHex } = hexPlaceOfKey(dedupeKey);
  return { bucket, field: Buffer.from(fieldHex, 'hex') };
}

/** The same with the bytes in hexadecimal: one Buffer among the arguments makes ioredis write a whole pipeline in buffers. */
export function hexPlaceOfKey(dedupeKey: string): { bucket: string; fieldHex: string } {
  const hex = hash('sha256', dedupeKey, 'hex');
  return { bucket: hex.slice(16, 19), fieldHex: hex.slice(0, 16) };
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
