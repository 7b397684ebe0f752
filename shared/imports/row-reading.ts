import type { FieldFailure } from '../domain/failure.ts';
import type { ColumnMapping, ImportFormat } from '../domain/import.ts';

export type ReadLimits = { rowsMax: number; bytesMax: number; rowBytesMax: number };

export type ReadOptions = {
  /** Value of the header; decides the format and the charset. */
  contentType: string | undefined;
  contentEncoding: string | undefined;
  mapping: ColumnMapping | undefined;
  limits: ReadLimits;
};

/** One record of the stream. Its body has the form of the unified model; what is wrong with it stands in `failures`. */
export type ReadRow = {
  row: number;
  line: number;
  /** JSON array of the cells (CSV) or the record itself as compact JSON. */
  original: string;
  /** Absent when the record cannot be read as an opportunity at all. */
  body?: Record<string, unknown>;
  dedupeKey?: string;
  failures: FieldFailure[];
};

export type RowReading = {
  format: ImportFormat;
  /** CSV: known once the first row (or the end) has been read. */
  columns: () => string[] | undefined;
  /**
   * Ends with an AppError (400 `invalid_import`, 413 `import_too_large`) for what spoils the whole: the header, the
   * compression, a limit.
   */
  rows: AsyncIterable<ReadRow>;
};
