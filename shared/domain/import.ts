import { z } from 'zod';
import { toIso, toIsoOrNull } from '../clock.ts';
import type { FieldFailure } from './failure.ts';
import { ON_UNSUPPORTED, PROVIDERS, type ProviderName } from './integrated-account.ts';
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
  code?: string;
  message?: string;
  pointer?: string;
  /**
   * Last attempt and generation of a row that may be begun again: a run of its earlier life stays fenced off. Absent for a
   * row that never became a job.
   */
  attempt?: number;
  generation?: number;
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
  /** Unified body as JSON; undefined when the row cannot be read as one. */
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

const count = z.int();
const time = z.string().nullable();

/** An import as every answer, list, event and webhook shows it. */
export const ImportView = z
  .object({
    id: z.string(),
    object: z.literal('import'),
    status: z.enum(IMPORT_STATUSES),
    integrated_account_id: z.string(),
    provider: z.enum(PROVIDERS),
    strategy: z.enum(['single', 'collections', 'bulk']).meta({
      description: 'How rows are written now. With `auto` it may change while the import runs.',
    }),
    strategy_reason: z.string().nullable().meta({ description: 'Why they are written that way.' }),
    format: z.enum(IMPORT_FORMATS),
    options: z.object({
      strategy: z.enum(STRATEGIES),
      max_errors: z.int().nullable(),
      row_events: z.boolean(),
      on_unsupported: z.enum(ON_UNSUPPORTED).nullable(),
      mapping: z.record(z.string(), z.string().nullable()).nullable(),
    }),
    counts: z.object({
      total: count,
      queued: count,
      running: count,
      succeeded: count,
      failed: count,
      needs_review: count,
      cancelled: count,
      duplicate: count,
    }),
    warnings: z
      .array(
        z.object({
          code: z.string(),
          pointer: z.string().optional(),
          message: z.string().meta({ description: 'That of the first such row.' }),
          rows: count,
          first_row: count,
        }),
      )
      .meta({
        description:
          'What is said of rows, by kind, as of the upload: fields the provider has no place for, amounts it rounds.',
      }),
    rows_per_second: z.number().nullable(),
    eta_seconds: z.int().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
    started_at: time,
    finished_at: time,
    idempotency_key: z.string().nullable(),
    revision: z.int().meta({ description: 'Grows with every change; the id of its server-sent events.' }),
    results_url: z.string(),
    error: z.unknown().nullable(),
  })
  .meta({ id: 'Import' });
export type ImportView = z.infer<typeof ImportView>;

/** Pace and remaining time; null while nothing can be said. `blockedUntilMs`: nothing happens before. Pure. */
export function paceOfImport(
  record: ImportRecord,
  nowMs: number,
  blockedUntilMs = 0,
): { rowsPerSecond: number | null; etaSeconds: number | null } {
  const { counts, startedAtMs, status } = record;
  if (startedAtMs === undefined) return { rowsPerSecond: null, etaSeconds: null };
  const done = counts.total - counts.queued - counts.running;
  const seconds = Math.max(0.001, ((record.finishedAtMs ?? nowMs) - startedAtMs) / 1_000);
  const rowsPerSecond = Math.round((done / seconds) * 100) / 100;
  if (isImportEnded(status)) return { rowsPerSecond, etaSeconds: 0 };
  if (rowsPerSecond === 0 || status === 'paused') return { rowsPerSecond, etaSeconds: null };
  const heldSeconds = Math.max(0, blockedUntilMs - nowMs) / 1_000;
  return {
    rowsPerSecond,
    etaSeconds: Math.ceil((counts.queued + counts.running) / rowsPerSecond + heldSeconds),
  };
}

/** The public view of a record. Pure. */
export function viewImport(record: ImportRecord, nowMs: number, blockedUntilMs?: number): ImportView {
  const pace = paceOfImport(record, nowMs, blockedUntilMs);
  const { options } = record;
  return {
    id: record.id,
    object: 'import',
    status: record.status,
    integrated_account_id: record.account,
    provider: record.provider,
    strategy: record.strategy,
    strategy_reason: record.strategyReason ?? null,
    format: record.format,
    options: {
      strategy: options.strategy,
      max_errors: options.maxErrors ?? null,
      row_events: options.rowEvents,
      on_unsupported: options.onUnsupported ?? null,
      mapping: options.mapping ?? null,
    },
    counts: record.counts,
    warnings: record.warnings ?? [],
    rows_per_second: pace.rowsPerSecond,
    eta_seconds: pace.etaSeconds,
    created_at: toIso(record.createdAtMs),
    updated_at: toIso(record.updatedAtMs),
    started_at: toIsoOrNull(record.startedAtMs),
    finished_at: toIsoOrNull(record.finishedAtMs),
    idempotency_key: record.idempotencyKey ?? null,
    revision: record.revision,
    results_url: `/imports/${record.id}/results`,
    error: record.error ?? null,
  };
}

/** The first thing wrong with a row, as its result shows it. */
export function resultOfFailures(failures: readonly FieldFailure[]): RowResult {
  const [first] = failures;
  const message = failures.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  return {
    status: 'failed',
    code: first?.code ?? 'invalid_body',
    message: message.slice(0, 500),
    pointer: first?.pointer,
  };
}
