import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import {
  IMPORT_FORMATS,
  IMPORT_SCHEMA_VERSION,
  IMPORT_STATUSES,
  type ImportRecord,
  ROW_RESULTS,
  type RowResult,
  type RowStatus,
  STRATEGIES,
  type StoredRow,
} from '../domain/import.ts';
import { ProviderName } from '../domain/integrated-account.ts';
import { UnreadableRecord } from './job-codec.ts';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

type Hash = Record<string, string>;

/** Characters of a message that a result keeps: many rows may fail. */
const MESSAGE_CHARS_MAX = 300;

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

/** Body and original are one text where they are equal, and most of each other's text where not: gzip sees to it. */
export async function packRows(rows: readonly StoredRow[]): Promise<Buffer> {
  const lines = rows.map(({ row, line, original, body, dedupeKey }) =>
    JSON.stringify([
      row,
      line,
      original,
      body === original ? 0 : (body ?? null),
      ...(dedupeKey ? [dedupeKey] : []),
    ]),
  );
  // The quickest level: a third of the time for a tenth more bytes.
  return pack(lines.join('\n'), { level: constants.Z_BEST_SPEED });
}

export async function unpackRows(packed: Buffer): Promise<StoredRow[]> {
  const text = (await unpack(packed)).toString();
  return text.split('\n').map((line): StoredRow => {
    // Written by packRows.
    const [row, physical, original, body, dedupeKey] = JSON.parse(line) as [
      number,
      number,
      string,
      string | 0 | null,
      string?,
    ];
    return {
      row,
      line: physical,
      original,
      body: body === 0 ? original : (body ?? undefined),
      ...(dedupeKey === undefined ? {} : { dedupeKey }),
    };
  });
}

const LETTERS = {
  succeeded: 's',
  failed: 'f',
  needs_review: 'r',
  cancelled: 'c',
  duplicate: 'd',
} as const satisfies Record<RowStatus, string>;

/** A result as few characters: a letter and the remote id, or a letter and JSON. */
export function encodeResult(result: RowResult): string {
  const letter = LETTERS[result.status];
  const { remoteId, code, message, pointer, attempt = 0, generation = 0, owner } = result;
  if (result.status === 'succeeded') return letter + (remoteId ?? '');
  if (result.status === 'duplicate') return `${letter}${remoteId ?? ''} ${owner ?? ''}`;
  return (
    letter +
    JSON.stringify([
      attempt,
      generation,
      code ?? null,
      message?.slice(0, MESSAGE_CHARS_MAX) ?? null,
      pointer ?? null,
    ])
  );
}

/** Undefined for a row that is to be tried again (`q`): see {@link livesOf}. */
export function decodeResult(text: string): RowResult | undefined {
  const rest = text.slice(1);
  if (text[0] === 's') return { status: 'succeeded', remoteId: rest };
  if (text[0] === 'd') {
    const [remoteId, owner] = rest.split(' ');
    return { status: 'duplicate', remoteId: remoteId || undefined, owner: owner || undefined };
  }
  const status = ROW_RESULTS.find((known) => LETTERS[known] === text[0]);
  if (!status) return undefined;
  // Written by encodeResult.
  const [attempt, generation, code, message, pointer] = JSON.parse(rest) as [
    number,
    number,
    string | null,
    string | null,
    string | null,
  ];
  return {
    status,
    attempt,
    generation,
    code: code ?? undefined,
    message: message ?? undefined,
    pointer: pointer ?? undefined,
  };
}

/** A row that was a job before and gave its record up: where its numbers go on. */
export type EarlierLife = { attempt: number; generation: number };

export const encodeAgain = ({ attempt, generation }: EarlierLife) => `q[${attempt},${generation}]`;

export function decodeAgain(text: string): EarlierLife | undefined {
  if (!text.startsWith('q')) return undefined;
  // Written by encodeAgain, here or in a script.
  const [attempt, generation] = JSON.parse(text.slice(1)) as [number, number];
  return { attempt, generation };
}
