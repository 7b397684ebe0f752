import { AppError } from '../../shared/app-error.ts';
import type { ColumnMapping } from '../../shared/domain/import.ts';
import { readRows } from '../../shared/imports/read-rows.ts';
import type { ReadLimits, ReadRow } from '../../shared/imports/row-reading.ts';

export const CSV = 'text/csv';
export const NDJSON = 'application/x-ndjson';
export const JSON_ARRAY = 'application/json';

const LIMITS: ReadLimits = { rowsMax: 1_000_000, bytesMax: 1_000_000_000, rowBytesMax: 1_000_000 };

export type Options = {
  contentEncoding?: string;
  mapping?: ColumnMapping;
  limits?: Partial<ReadLimits>;
  /** Sizes of the pieces the bytes arrive in, in turn; default: all at once. */
  pieces?: number[];
};

export type Reading =
  | { rows: ReadRow[]; columns: string[] | undefined }
  | { code: string; message: string; failures: { pointer: string; code: string; message: string }[] };

export async function* inPieces(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Everything a reading gives: all its rows, or what refuses the whole. */
export async function read(
  content: string | Uint8Array,
  contentType: string,
  { contentEncoding, mapping, limits, pieces = [] }: Options = {},
): Promise<Reading> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  try {
    const reading = readRows(inPieces(bytes, pieces), {
      contentType,
      contentEncoding,
      mapping,
      limits: { ...LIMITS, ...limits },
    });
    const rows: ReadRow[] = [];
    for await (const row of reading.rows) rows.push(row);
    return { rows, columns: reading.columns() };
  } catch (err) {
    if (!(err instanceof AppError)) throw err;
    return { code: err.code, message: err.message, failures: err.facts.failures ?? [] };
  }
}

/** The rows of what must be readable. */
export async function rowsOf(...args: Parameters<typeof read>): Promise<ReadRow[]> {
  const reading = await read(...args);
  if ('rows' in reading) return reading.rows;
  throw new Error(`Refused: ${reading.code}: ${reading.message}`);
}
