import { createHash, randomBytes, randomFillSync } from 'node:crypto';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// One system call for 128 ids instead of one per id: randomBytes(10) alone costs more than the rest of an accept's id.
const pool = Buffer.alloc(10 * 128);
let poolOffset = pool.length;

function takeRandom(): Buffer {
  if (poolOffset >= pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const slice = pool.subarray(poolOffset, poolOffset + 10);
  poolOffset += 10;
  return slice;
}

/**
 * UUID version 7 whose last byte is the partition, so that a record can be found by its id alone.
 * Sorting ids as text sorts them by creation time (milliseconds).
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
 */
export function createPartitionedId(partition: number, nowMs: number): string {
  const r = takeRandom();
  const time = nowMs.toString(16).padStart(12, '0');
  const b = (i: number) => HEX[r[i] ?? 0] ?? '00';
  const version = HEX[0x70 | ((r[0] ?? 0) & 0x0f)];
  const variant = HEX[0x80 | ((r[2] ?? 0) & 0x3f)];
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${b(1)}-${variant}${b(3)}-${b(4)}${b(5)}${b(6)}${b(7)}${b(8)}${HEX[partition] ?? '00'}`;
}

/** Partition carried by an id of {@link createPartitionedId}, or undefined if `id` is no uuid. */
export function partitionOfId(id: string): number | undefined {
  return UUID.test(id) ? Number.parseInt(id.slice(-2), 16) : undefined;
}

/** Smallest possible id of a moment: lower bound for "created after". */
export function lowestIdAt(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** URL-safe secret of `bytes` random bytes. */
export function createSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * UUID that follows from a text and nothing else.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
export function createNamedUuid(text: string): string {
  const hex = sha256Hex(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
