import { hash, randomBytes, randomFillSync } from 'node:crypto';

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

/**
 * Id of an import: UUID version 8, whose bits 52–75 are left for the number of a row, so that the id of a row's job
 * follows from both and tells both. As text it sorts by time like other ids, and rows sort by number.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
export function createImportId(partition: number, nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0');
  const random = takeRandom().toString('hex').slice(0, 10);
  return `${time.slice(0, 8)}-${time.slice(8)}-8000-8000-${random}${HEX[partition] ?? '00'}`;
}

/** Id of the job of one row (from 1 to 0xffffff); for ever the same. */
export function rowJobId(importId: string, row: number): string {
  const hex = row.toString(16).padStart(6, '0');
  return `${importId.slice(0, 15)}${hex.slice(0, 3)}-8${hex.slice(3)}${importId.slice(23)}`;
}

/** Import and row of an id of {@link rowJobId}; undefined for any other id. */
export function rowOfJobId(id: string): { importId: string; row: number } | undefined {
  const [, hex1, hex2] = /^.{14}8([0-9a-f]{3})-8([0-9a-f]{3})-/.exec(id) ?? [];
  if (hex1 === undefined || hex2 === undefined || !isUuid(id)) return undefined;
  const row = Number.parseInt(hex1 + hex2, 16);
  return row === 0 ? undefined : { importId: rowJobId(id, 0), row };
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
  return hash('sha256', text, 'hex');
}

/**
 * UUID that follows from a text and nothing else.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
export function createNamedUuid(text: string): string {
  const hex = sha256Hex(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
