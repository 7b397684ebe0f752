import type { FieldFailure } from './failure.ts';
import type { ON_UNSUPPORTED, ProviderName } from './integrated-account.ts';
import type { JobError } from './job.ts';

export const IMPORT_STATUSES = [
  'receiving',
  'queued',
  'running',
  'paused',
  'completed',
  'cancelled',
  'failed',
] as const;
export type ImportStatus = (typeof IMPORT_STATUSES)[number];

const ENDED: readonly ImportStatus[] = ['completed', 'cancelled', 'failed'];

export function isImportEnded(status: ImportStatus): boolean {
  return ENDED.includes(status);
}

/** An upload that was given up and is being removed: every other import has the hash of its body. */
export const isGivenUp = ({ status, bodyHash }: Pick<ImportRecord, 'status' | 'bodyHash'>): boolean =>
  status === 'failed' && bodyHash === undefined;

export const STRATEGIES = ['auto', 'single', 'collections', 'bulk'] as const;
export type Strategy = (typeof STRATEGIES)[number];
/** What `auto` came to. */
export type ChosenStrategy = Exclude<Strategy, 'auto'>;

export const IMPORT_FORMATS = ['csv', 'ndjson', 'json'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** Original column (or key) → unified path, as `{"Deal": "name", "Lead ID": "account.id"}`; null leaves it out. */
export type ColumnMapping = Record<string, string | null>;

export type ImportOptions = {
  strategy: Strategy;
  /** Failed rows after which the rest is not begun. */
  maxErrors?: number;
  rowEvents: boolean;
  mapping?: ColumnMapping;
  onUnsupported?: (typeof ON_UNSUPPORTED)[number];
};

/** Statuses a row can have for ever (`needs_review`: until a person decides). */
export const ROW_RESULTS = ['succeeded', 'failed', 'needs_review', 'cancelled', 'duplicate'] as const;
export type RowStatus = (typeof ROW_RESULTS)[number];

/** What became of one row. */
export type RowResult = {
  status: RowStatus;
  remoteId?: string;
  /** From the published catalogue: of an error, or of what is wrong with a field. */
  code?: string;
  message?: string;
  pointer?: string;
  /**
   * Last attempt and generation of a row that may be begun again: a run of its earlier life stays fenced off. Absent for a
   * row that never became a job.
   */
  attempt?: number;
  generation?: number;
  /** `sequence` of the job it was: events of a later life come after those of this one. */
  sequence?: number;
  /** Of a duplicate: job of the row that has its dedupe key. */
  owner?: string;
};

/** A row as it rests until it is worked, and for the results afterwards. */
export type StoredRow = {
  /** Record number from 1, header not counted. */
  row: number;
  /** Physical line it starts on. */
  line: number;
  /** The record as it came: JSON array of the cells (CSV) or the JSON object itself. */
  original: string;
  /** Unified body as JSON; undefined when the row cannot be read as one: then it is never written, whatever else changes. */
  body?: string;
  dedupeKey?: string;
};

export type RowCounts = {
  total: number;
  queued: number;
  running: number;
  succeeded: number;
  failed: number;
  needs_review: number;
  cancelled: number;
  duplicate: number;
};

/** Something said of rows when they were received; the message is that of the first of them. */
export type ImportWarning = {
  code: string;
  pointer?: string;
  message: string;
  rows: number;
  first_row: number;
};

/** Why an import does not begin further rows and ends once those under way have. */
export type StopReason = 'cancelled' | 'max_errors';

/** One bulk submission. Times in milliseconds. */
export type ImportRecord = {
  id: string;
  schemaVersion: number;
  workspace: string;
  account: string;
  provider: ProviderName;
  status: ImportStatus;
  /** Which engine job may work on it: older ones are ignored. */
  generation: number;
  /** Counts every change that a reader could see. */
  revision: number;
  createdAtMs: number;
  updatedAtMs: number;
  /** When its first row was begun. */
  startedAtMs?: number;
  finishedAtMs?: number;
  options: ImportOptions;
  strategy: ChosenStrategy;
  /** Why, as a sentence. */
  strategyReason?: string;
  /** The provider refused a bulk job: none is tried again. */
  bulkRefused?: boolean;
  format: ImportFormat;
  /** Columns of a CSV in their order; absent: every original is an object. */
  columns?: string[];
  /** Stored chunks of {@link ROWS_PER_CHUNK} rows. */
  chunks: number;
  /** Row the feeder looks at next. */
  nextRow: number;
  counts: RowCounts;
  warnings?: ImportWarning[];
  stop?: StopReason;
  /** Only rows that failed before are begun: see retry-failed. */
  retrying?: boolean;
  error?: JobError;
  /** `X-Request-Id` of the upload: errors of its rows name it. */
  requestId?: string;
  idempotencyKey?: string;
  /** SHA-256 of the body as it came. */
  bodyHash?: string;
};

export const IMPORT_SCHEMA_VERSION = 1;
export const ROWS_PER_CHUNK = 200;
/** A row's number has 24 bits in its job's id. */
export const ROWS_LIMIT = 0xff_ffff;

export const chunkOfRow = (row: number) => Math.floor((row - 1) / ROWS_PER_CHUNK);
export const firstRowOfChunk = (chunk: number) => chunk * ROWS_PER_CHUNK + 1;
/** A row's field in the results of its chunk. */
export const fieldOf = (row: number) => (row - 1) % ROWS_PER_CHUNK;

/** The first thing wrong with a row, as its result shows it. */
export function resultOfFailures(failures: readonly FieldFailure[]): RowResult {
  const [first] = failures;
  // Without a pointer it is true of the whole row.
  const message = failures.map(({ pointer, message }) => `${pointer || 'the row'}: ${message}`).join('; ');
  return {
    status: 'failed',
    code: first?.code ?? 'invalid_body',
    message: message.slice(0, 500),
    pointer: first?.pointer,
  };
}
