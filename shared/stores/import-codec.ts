import {
  IMPORT_FORMATS,
  IMPORT_SCHEMA_VERSION,
  IMPORT_STATUSES,
  type ImportRecord,
  ROW_RESULTS,
  type RowStatus,
  STRATEGIES,
} from '../domain/import.ts';
import { ProviderName } from '../domain/integrated-account.ts';
import { UnreadableRecord } from './job-codec.ts';

type Hash = Record<string, string>;

/** Fields of the import hash that are set when it is begun, committed or moved; scripts own the rest. */
export type ImportPatch = Partial<
  Pick<
    ImportRecord,
    | 'strategy'
    | 'strategyReason'
    | 'bulkRefused'
    | 'format'
    | 'columns'
    | 'nextRow'
    | 'finishedAtMs'
    | 'error'
    | 'retrying'
  >
> & {
  bodyHash?: string;
  warnings?: ImportRecord['warnings'];
  /** Null clears. */
  stop?: ImportRecord['stop'] | null;
  /** Rows that were never begun when it was stopped count as cancelled. */
  cancelledRows?: number;
};

/** A patch as `field, value, …`. Absent stays untouched; undefined given explicitly clears. */
export function encodeImportPatch(patch: ImportPatch): string[] {
  const out: string[] = [];
  const set = (field: string, value: unknown) =>
    out.push(field, value === undefined || value === null ? '' : String(value));
  const json = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  if ('strategy' in patch) set('strategy', patch.strategy);
  if ('strategyReason' in patch) set('why', patch.strategyReason);
  if ('bulkRefused' in patch) set('no_bulk', patch.bulkRefused ? '1' : '');
  if ('format' in patch) set('format', patch.format);
  if ('columns' in patch) set('columns', json(patch.columns));
  if ('nextRow' in patch) set('next', patch.nextRow);
  if ('finishedAtMs' in patch) set('finished', patch.finishedAtMs);
  if ('error' in patch) set('error', json(patch.error));
  if ('retrying' in patch) set('retrying', patch.retrying ? '1' : '');
  if ('bodyHash' in patch) set('body_hash', patch.bodyHash);
  if ('warnings' in patch) set('warnings', json(patch.warnings));
  if ('stop' in patch) set('stop', patch.stop);
  if ('cancelledRows' in patch) set('cancelled', patch.cancelledRows);
  return out;
}

export function encodeNewImport(record: ImportRecord): string[] {
  const pairs: [string, string | undefined][] = [
    ['v', String(IMPORT_SCHEMA_VERSION)],
    ['ws', record.workspace],
    ['account', record.account],
    ['provider', record.provider],
    ['status', 'receiving'],
    ['gen', '0'],
    ['rev', '1'],
    ['created', String(record.createdAtMs)],
    ['updated', String(record.createdAtMs)],
    ['options', JSON.stringify(record.options)],
    ['strategy', record.strategy],
    ['why', record.strategyReason],
    ['format', record.format],
    ['chunks', '0'],
    ['next', '1'],
    ['total', '0'],
    ['req', record.requestId],
    ['key', record.idempotencyKey],
  ];
  return pairs.flatMap(([field, value]) => (value ? [field, value] : []));
}

const number = (text: string | undefined) => (text ? Number(text) : undefined);

/**
 * Reads an import hash.
 * @param running rows that are jobs now.
 * @throws UnreadableRecord when a newer version of Dealwright wrote it, or it is damaged.
 */
export function decodeImport(id: string, hash: Hash, running: number): ImportRecord {
  const schemaVersion = Number(hash.v);
  const status = IMPORT_STATUSES.find((known) => known === hash.status);
  if (!(schemaVersion <= IMPORT_SCHEMA_VERSION) || !status) {
    throw new UnreadableRecord(
      `Import ${id} has schema version ${hash.v} and status "${hash.status}"; this process reads up to ${IMPORT_SCHEMA_VERSION}. Update it.`,
    );
  }
  const counted = (field: RowStatus) => Number(hash[field] ?? 0);
  const total = Number(hash.total ?? 0);
  const settled = ROW_RESULTS.reduce((sum, result) => sum + counted(result), 0);
  const underWay = running + Number(hash.in_batch ?? 0);
  const parse = <T>(text: string | undefined, fallback: T): T => (text ? JSON.parse(text) : fallback);
  const strategy = STRATEGIES.find((known) => known === hash.strategy);
  return {
    id,
    schemaVersion,
    workspace: hash.ws ?? '',
    account: hash.account ?? '',
    provider: ProviderName.parse(hash.provider),
    status,
    generation: Number(hash.gen),
    revision: Number(hash.rev),
    createdAtMs: Number(hash.created),
    updatedAtMs: Number(hash.updated),
    startedAtMs: number(hash.started),
    finishedAtMs: number(hash.finished),
    options: parse(hash.options, { strategy: 'auto', rowEvents: false }),
    strategy: strategy === undefined || strategy === 'auto' ? 'single' : strategy,
    strategyReason: hash.why || undefined,
    bulkRefused: hash.no_bulk === '1',
    format: IMPORT_FORMATS.find((known) => known === hash.format) ?? 'ndjson',
    columns: parse(hash.columns, undefined),
    chunks: Number(hash.chunks ?? 0),
    nextRow: Number(hash.next ?? 1),
    counts: {
      total,
      queued: Math.max(0, total - settled - underWay),
      running: underWay,
      succeeded: counted('succeeded'),
      failed: counted('failed'),
      needs_review: counted('needs_review'),
      cancelled: counted('cancelled'),
      duplicate: counted('duplicate'),
    },
    stop: hash.stop === 'cancelled' || hash.stop === 'max_errors' ? hash.stop : undefined,
    retrying: hash.retrying === '1',
    error: parse(hash.error, undefined),
    warnings: parse(hash.warnings, undefined),
    requestId: hash.req || undefined,
    idempotencyKey: hash.key || undefined,
    bodyHash: hash.body_hash || undefined,
  };
}
