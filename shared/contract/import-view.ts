import { z } from 'zod';
import { toIso, toIsoOrNull } from '../clock.ts';
import {
  IMPORT_FORMATS,
  IMPORT_STATUSES,
  type ImportRecord,
  isImportEnded,
  STRATEGIES,
} from '../domain/import.ts';
import { ON_UNSUPPORTED, PROVIDERS } from '../domain/integrated-account.ts';
import { ErrorView, viewKeptError } from './error-view.ts';

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
    error: ErrorView.nullable(),
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
    error: viewKeptError(record.error, record.requestId),
  };
}
