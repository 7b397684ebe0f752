import { createHash } from 'node:crypto';
import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import {
  IMPORT_SCHEMA_VERSION,
  type ImportOptions,
  type ImportRecord,
  type ImportWarning,
  isGivenUp,
  ROWS_PER_CHUNK,
  type RowResult,
  type StoredRow,
} from '../domain/import.ts';
import type { AccountFacts, ProviderName } from '../domain/integrated-account.ts';
import { sha256Hex } from '../ids.ts';
import type { ReadLimits, ReadOptions, RowReading } from '../imports/row-reading.ts';
import type { BatchDescriptor } from '../providers/batch-port.ts';
import type { ProviderDescriptor } from '../providers/port.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import { mayHaveRun } from '../redis/unavailable.ts';
import type { Account } from '../stores/account-store.ts';
import type { ImportStore } from '../stores/import-store.ts';
import { chooseStrategy } from './choose-strategy.ts';
import { createWarningCount } from './count-warnings.ts';
import { type ExaminedRow, examineRows } from './examine-row.ts';
import { giveUpUpload } from './finish-import.ts';
import { canonicalJson } from './request-fingerprint.ts';
import { watchUpload } from './watch-upload.ts';

export type SubmitImportDeps = {
  accounts: { facts(id: string): Promise<AccountFacts | undefined> };
  imports: Pick<
    ImportStore,
    'newId' | 'begin' | 'sayArriving' | 'putChunk' | 'commit' | 'find' | 'giveUp' | 'erase'
  >;
  queues: Pick<AccountQueues, 'addImport' | 'ring'>;
  readRows: (stream: AsyncIterable<Uint8Array>, options: ReadOptions) => RowReading;
  descriptorOf: (provider: ProviderName) => ProviderDescriptor;
  batchOf: (provider: ProviderName) => BatchDescriptor | undefined;
  clock: Clock;
  storeTrouble: () => string | undefined;
  limits: ReadLimits;
  /** How long an upload may stand still. */
  idleMs: number;
};

export type ImportSubmission = {
  account: Account;
  options: ImportOptions;
  stream: AsyncIterable<Uint8Array>;
  contentType: string | undefined;
  contentEncoding: string | undefined;
  requestId?: string;
  idempotencyKey?: string;
};

/**
 * Receives an import: row by row, checked as creates are, resting in Redis as it comes. Memory holds one chunk; a client
 * that is faster than Redis waits. Resolves once the whole is on disk and queued; a broken upload leaves nothing.
 * @throws AppError 400/404/409/413/415/422 when refused, 503 when it cannot be promised.
 */
export async function submitImport(
  deps: SubmitImportDeps,
  submission: ImportSubmission,
): Promise<{ record: ImportRecord; replayed: boolean }> {
  refuseInTrouble(deps);
  const { account, options } = submission;
  const hash = createHash('sha256');
  const arriving = watchUpload(submission.stream, {
    hash,
    clock: deps.clock,
    everyMs: deps.idleMs / 4,
    // Nothing is read before the record below has been begun.
    sayArriving: async () => {
      if (!(await deps.imports.sayArriving(record))) throw givenUp();
    },
  });
  const reading = deps.readRows(arriving, {
    contentType: submission.contentType,
    contentEncoding: submission.contentEncoding,
    mapping: options.mapping,
    limits: deps.limits,
  });
  const record = newRecord(deps, submission, reading);
  const begun = await deps.imports.begin(record, fingerprintOf(submission));
  switch (begun.kind) {
    case 'no_account':
      throw new AppError('not_found', 'There is no such integrated account.');
    case 'key_reused':
      throw reused(begun.importId);
    case 'known':
      return replay(deps, submission, begun.importId);
    case 'begun':
  }
  try {
    const facts = await deps.accounts.facts(account.id);
    const question = {
      descriptor: deps.descriptorOf(record.provider),
      settings: submission.account.settings,
      query: { on_unsupported: submission.options.onUnsupported },
      facts,
      nowMs: deps.clock.nowMs(),
    };
    record.warnings = await storeRows(deps, record, examineRows(reading.rows, record.id, question));
  } catch (err) {
    // If this fails too, the sweep gives it up a little later.
    await giveUpUpload(deps, record).catch(() => {});
    throw err;
  }
  const committed = await commit(deps, record, reading, hash.digest('hex'));
  if (committed.bell) deps.queues.ring(account.id).catch(() => {});
  return { record: (await deps.imports.find(record.id)) ?? record, replayed: false };
}

function newRecord(deps: SubmitImportDeps, submission: ImportSubmission, reading: RowReading): ImportRecord {
  const { account, options } = submission;
  const now = deps.clock.nowMs();
  const batch = deps.batchOf(account.provider);
  const { strategy, reason } = chooseStrategy(options.strategy, batch, account, options.rowEvents);
  return {
    id: deps.imports.newId(account.id),
    schemaVersion: IMPORT_SCHEMA_VERSION,
    workspace: account.workspace,
    account: account.id,
    provider: account.provider,
    status: 'receiving',
    generation: 0,
    revision: 1,
    createdAtMs: now,
    updatedAtMs: now,
    options,
    strategy,
    strategyReason: reason,
    format: reading.format,
    chunks: 0,
    nextRow: 1,
    counts: {
      total: 0,
      queued: 0,
      running: 0,
      succeeded: 0,
      failed: 0,
      needs_review: 0,
      cancelled: 0,
      duplicate: 0,
    },
    requestId: submission.requestId,
    idempotencyKey: submission.idempotencyKey,
  };
}

function refuseInTrouble(deps: SubmitImportDeps): void {
  const trouble = deps.storeTrouble();
  if (trouble) throw new AppError('durability_unavailable', trouble, { retryAfterSeconds: 10 });
}

/** What is known of the request before its body: the same key with other options is another request. */
function fingerprintOf({ options, contentType, contentEncoding }: ImportSubmission): string {
  return sha256Hex(canonicalJson(['import', options, contentType ?? null, contentEncoding ?? null]));
}

/**
 * @returns what is said of rows that can be written.
 * @throws AppError `invalid_import` when there is no row.
 */
async function storeRows(
  deps: SubmitImportDeps,
  record: ImportRecord,
  rows: AsyncIterable<ExaminedRow>,
): Promise<ImportWarning[]> {
  const said = createWarningCount();
  let chunk: StoredRow[] = [];
  let results = new Map<number, RowResult>();
  const flush = async () => {
    refuseInTrouble(deps);
    if (!(await deps.imports.putChunk(record, record.chunks, chunk, results))) {
      throw givenUp();
    }
    record.chunks += 1;
    chunk = [];
    results = new Map();
  };
  for await (const { row, warnings, result } of rows) {
    chunk.push(row);
    if (warnings) said.add(row.row, warnings);
    if (result) results.set(row.row, result);
    if (chunk.length === ROWS_PER_CHUNK) await flush();
  }
  if (chunk.length > 0) await flush();
  if (record.chunks === 0) throw new AppError('invalid_import', 'The import has no rows.');
  return said.list();
}

async function commit(deps: SubmitImportDeps, record: ImportRecord, reading: RowReading, bodyHash: string) {
  try {
    const committed = await deps.imports.commit(record, {
      columns: reading.columns(),
      bodyHash,
      warnings: record.warnings,
    });
    if (!committed)
      throw new AppError('conflict', 'The upload was given up before it was whole; send it again.');
    await deps.queues.addImport(record.account, record.id, 1);
    return committed;
  } catch (cause) {
    if (!mayHaveRun(cause)) {
      await giveUpUpload(deps, record).catch(() => {});
      throw cause;
    }
    const message = `It is not known whether import ${record.id} was accepted; GET /imports/${record.id} tells, or send it again with its Idempotency-Key.`;
    throw new AppError('accept_timed_out', message, { retryAfterSeconds: 1, cause });
  }
}

const givenUp = () =>
  new AppError('conflict', 'The upload stood still for too long and was given up; send it again.');

const reused = (importId: string) =>
  new AppError('idempotency_key_reused', `The key belongs to import ${importId}, which was another request.`);

/** The key has its import: the same body gives it again, another is refused, and one still being received is waited for. */
async function replay(
  deps: SubmitImportDeps,
  submission: ImportSubmission,
  importId: string,
): Promise<{ record: ImportRecord; replayed: boolean }> {
  const record = await deps.imports.find(importId);
  if (!record || record.status === 'receiving' || isGivenUp(record)) {
    // Its process may have died: then nobody touches it any more.
    if (record && (isGivenUp(record) || deps.clock.nowMs() - record.updatedAtMs > deps.idleMs)) {
      await giveUpUpload(deps, record);
      return submitImport(deps, submission);
    }
    const message = 'An upload with this key is being received.';
    throw new AppError('idempotency_key_in_progress', message, { retryAfterSeconds: 1 });
  }
  const hash = createHash('sha256');
  for await (const bytes of submission.stream) hash.update(bytes);
  if (hash.digest('hex') !== record.bodyHash) throw reused(importId);
  // The first request may have died between record and queue; adding again does nothing where it did not.
  if (record.status === 'queued') {
    await deps.queues.addImport(record.account, record.id, record.generation);
    deps.queues.ring(record.account).catch(() => {});
  }
  return { record, replayed: true };
}
