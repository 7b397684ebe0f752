import type { Clock } from '../clock.ts';
import {
  chunkOfRow,
  firstRowOfChunk,
  type ImportRecord,
  type RowResult,
  type RowStatus,
  type StoredRow,
} from '../domain/import.ts';
import { JOB_STATUSES, type JobStatus } from '../domain/job.ts';
import { partitionOfId, rowJobId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScripts } from '../redis/scripts.ts';
import { claimPlaces } from './claim-places.ts';
import { bytesOfJob, jobOfOwner, ownerOf, placeOfKey } from './dedupe-place.ts';
import {
  decodeAgain,
  decodeResult,
  type EarlierLife,
  encodeAgain,
  encodeResult,
  unpackRows,
} from './import-codec.ts';
import { fieldOf } from './import-store.ts';
import { encodeNewJob, encodePatch, type JobPatch } from './job-codec.ts';
import type { AcceptInput } from './job-moves.ts';
import { newJobRecord } from './job-store.ts';

export type { EarlierLife } from './import-codec.ts';

export type ImportRowStoreOptions = {
  redis: RedisClient;
  keys: Keys;
  clock: Clock;
  retentionMs: number;
  /** How long an open job may be without its engine job. */
  orphanMs: number;
};

export type Materialised =
  | { kind: 'made'; jobId: string; generation: number }
  | { kind: 'exists'; status: JobStatus | undefined }
  /** The dedupe key is another row's. */
  | { kind: 'duplicate'; owner: string }
  | { kind: 'settled' }
  /** The import begins no rows now. */
  | { kind: 'held' };

/** What held a row that went together with others: the batch of its chunk, or the import's bulk job. */
export type RowHolder = number | 'bulk';

/** Results of a chunk: those that stand, and the rows that are to be tried again. */
export type ChunkResults = { results: Map<number, RowResult>; again: Map<number, EarlierLife> };

type Ref = Pick<ImportRecord, 'id' | 'account'>;
export type ImportRowStore = ReturnType<typeof createImportRowStore>;

/** Rows of imports: as they rest, as jobs while they are worked, and their results. */
export function createImportRowStore(options: ImportRowStoreOptions) {
  const { redis, keys, clock } = options;
  const scripts = defineScripts(redis);
  const partition = (record: Pick<Ref, 'id'>) => partitionOfId(record.id) ?? 0;
  const window = (record: Ref) => keys.importWindow(partition(record), record.id);

  function rowKeys(record: Pick<Ref, 'id'>, row: number) {
    const p = partition(record);
    return {
      p,
      record: keys.import(p, record.id),
      results: keys.importResults(p, record.id, chunkOfRow(row)),
      job: keys.job(p, rowJobId(record.id, row)),
      batches: keys.importBatches(p, record.id),
      bulk: keys.importBulk(p, record.id),
    };
  }

  /** Key, field and owner of a dedupe key; for a row without one, a key that is not touched. */
  function dedupeOf(record: Ref, row: number, dedupeKey: string | undefined) {
    const p = partition(record);
    if (dedupeKey === undefined) return { key: keys.import(p, record.id), field: '', owner: '' };
    const { bucket, field } = placeOfKey(dedupeKey);
    return {
      key: keys.dedupe(p, record.account, bucket),
      field,
      owner: ownerOf(record.id, row),
    };
  }

  return {
    /** Rows of a chunk as they came; undefined when they have expired. */
    async chunk(record: Ref, chunk: number): Promise<StoredRow[] | undefined> {
      const packed = await redis.getBuffer(keys.importRows(partition(record), record.id, chunk));
      return packed ? unpackRows(packed) : undefined;
    },

    async results(record: Ref, chunk: number): Promise<ChunkResults> {
      const hash = await redis.hgetall(keys.importResults(partition(record), record.id, chunk));
      const results = new Map<number, RowResult>();
      const again = new Map<number, EarlierLife>();
      for (const [field, text] of Object.entries(hash)) {
        const row = firstRowOfChunk(chunk) + Number(field);
        const result = decodeResult(text);
        const life = decodeAgain(text);
        if (result) results.set(row, result);
        if (life) again.set(row, life);
      }
      return { results, again };
    },

    async result(record: Pick<Ref, 'id'>, row: number): Promise<RowResult | undefined> {
      const text = await redis.hget(rowKeys(record, row).results, String(fieldOf(row)));
      return text ? decodeResult(text) : undefined;
    },

    /** Rows that are jobs now, lowest first. */
    async underWay(record: Ref): Promise<number[]> {
      return (await redis.zrangebyscore(window(record), '-inf', '+inf')).map(Number);
    },

    jobCount: (record: Ref): Promise<number> => redis.zcard(window(record)),

    /** Status of each row's job; undefined where there is none. */
    statuses(record: Ref, rows: readonly number[]): Promise<(JobStatus | undefined)[]> {
      return Promise.all(
        rows.map(async (row) => {
          const status = await redis.hget(rowKeys(record, row).job, 'status');
          return JOB_STATUSES.find((known) => known === status);
        }),
      );
    },

    /**
     * Makes the job of one row; repeated, it does nothing.
     * @param earlier numbers of the row's earlier life.
     * @param goneOwner job of a row whose import is gone: its dedupe key may be taken.
     */
    async materialise(
      record: Ref,
      row: number,
      input: AcceptInput,
      more: {
        dedupeKey?: string;
        earlier?: EarlierLife;
        goneOwner?: string;
        /** It was under way in the batch of its chunk; with what its record must know of that. */
        batched?: JobPatch;
      },
    ): Promise<Materialised> {
      const { p, ...at } = rowKeys(record, row);
      const { account } = record;
      const now = clock.nowMs();
      const jobId = rowJobId(record.id, row);
      const dedupe = dedupeOf(record, row, more.dedupeKey);
      const generation = (more.earlier?.generation ?? 0) + 1;
      const n = more.earlier?.attempt ?? 0;
      const job = { ...newJobRecord(jobId, input, undefined, now), generation };
      const [code, detail] = await scripts.dwImportMaterialise(
        at.record,
        at.results,
        window(record),
        at.job,
        keys.jobs(p, account),
        keys.jobsIn(p, account, 'queued'),
        keys.open(p),
        dedupe.key,
        at.batches,
        at.bulk,
        account,
        jobId,
        fieldOf(row),
        row,
        now,
        now + options.orphanMs,
        dedupe.field,
        dedupe.owner,
        more.goneOwner === undefined ? '' : bytesOfJob(more.goneOwner),
        options.retentionMs,
        more.batched ? chunkOfRow(row) : '',
        ...encodeNewJob(job),
        ...(more.batched ? encodePatch(more.batched) : []),
        // first_n: attempts of a life whose record is gone; they count on, so that its late runs stay fenced off.
        ...(n > 0 ? ['n', n, 'first_n', n] : []),
      );
      switch (code) {
        case 1:
          return { kind: 'made', jobId, generation };
        case 0:
          return { kind: 'exists', status: JOB_STATUSES.find((known) => known === detail) };
        case 2:
          return { kind: 'duplicate', owner: jobOfOwner(String(detail)) };
        case 3:
          return { kind: 'settled' };
        default:
          return { kind: 'held' };
      }
    },

    /**
     * Writes and counts the result of a row.
     * @param job the status its job must have, and whether the record is kept; absent: it never was a job.
     * @param holder what it leaves with its result.
     * @returns false when the row has its result already, or its job moved meanwhile.
     */
    async settle(
      record: Ref,
      row: number,
      result: RowResult,
      more: { job?: { status: JobStatus; keep: boolean }; dedupeKey?: string; holder?: RowHolder } = {},
    ): Promise<boolean> {
      const { p, ...at } = rowKeys(record, row);
      const frees = result.status === 'failed' || result.status === 'cancelled';
      const dedupe = dedupeOf(record, row, frees ? more.dedupeKey : undefined);
      const now = clock.nowMs();
      const claim =
        more.job && result.remoteId !== undefined
          ? claimPlaces(
              keys,
              { partition: p, account: record.account, remoteId: result.remoteId },
              { nowMs: now, retentionMs: options.retentionMs },
            )
          : { own: at.record, packed: [at.record], field: '' };
      const [code] = await scripts.dwImportSettle(
        at.record,
        at.results,
        window(record),
        more.job ? at.job : at.record,
        keys.jobs(p, record.account),
        keys.jobsIn(p, record.account, 'failed'),
        keys.jobsIn(p, record.account, 'cancelled'),
        dedupe.key,
        at.batches,
        at.bulk,
        claim.own,
        claim.packed[0],
        rowJobId(record.id, row),
        fieldOf(row),
        row,
        result.status,
        encodeResult(result),
        now,
        more.job?.status ?? '',
        more.job?.keep ? 1 : '',
        dedupe.field,
        dedupe.owner,
        more.holder ?? '',
        claim.field,
        options.retentionMs,
      );
      return code === 1;
    },

    /**
     * Writes and counts results of rows of one chunk that went together, in one step; those that have one keep it.
     * @returns how many were written.
     */
    async settleRows(
      record: Ref,
      holder: RowHolder,
      chunk: number,
      results: readonly { row: number; result: RowResult }[],
    ): Promise<number> {
      if (results.length === 0) return 0;
      const at = rowKeys(record, firstRowOfChunk(chunk));
      const [written] = await scripts.dwImportSettleRows(
        ...[at.record, at.results, at.batches, at.bulk],
        holder,
        clock.nowMs(),
        JSON.stringify(
          results.map(({ row, result }) => [row, fieldOf(row), result.status, encodeResult(result)]),
        ),
      );
      return Number(written);
    },

    /**
     * Unmakes the job of a row that has not begun.
     * @param cancelled its result; absent: the row waits as before.
     * @returns false when it has begun or ended.
     */
    async giveBack(
      record: Ref,
      row: number,
      generation: number,
      more: { cancelled?: RowResult; dedupeKey?: string },
    ): Promise<boolean> {
      const { p, ...at } = rowKeys(record, row);
      const { account } = record;
      const jobId = rowJobId(record.id, row);
      const dedupe = dedupeOf(record, row, more.dedupeKey);
      const [code] = await scripts.dwImportGiveBack(
        at.record,
        at.results,
        window(record),
        at.job,
        keys.jobs(p, account),
        keys.jobsIn(p, account, 'queued'),
        keys.jobsIn(p, account, 'waiting'),
        keys.open(p),
        dedupe.key,
        account,
        jobId,
        fieldOf(row),
        row,
        clock.nowMs(),
        more.cancelled ? encodeResult(more.cancelled) : '',
        dedupe.field,
        dedupe.owner,
        generation,
      );
      return code === 1;
    },

    /**
     * Takes back results of one status in a chunk, so that their rows are tried again.
     * @returns how many.
     */
    async reopen(
      record: Ref,
      chunk: number,
      status: RowStatus,
      isWanted: (row: number) => boolean,
    ): Promise<number> {
      const p = partition(record);
      const key = keys.importResults(p, record.id, chunk);
      const hash = await redis.hgetall(key);
      const rows = Object.entries(hash).flatMap(([field, text]) => {
        const row = firstRowOfChunk(chunk) + Number(field);
        const result = decodeResult(text);
        if (result?.status !== status || !isWanted(row)) return [];
        const { attempt = 0, generation = 0 } = result;
        return [{ row, change: [field, text, encodeAgain({ attempt, generation })] }];
      });
      if (rows.length === 0) return 0;
      const lowest = Math.min(...rows.map(({ row }) => row));
      const [taken] = await scripts.dwImportReopen(
        keys.import(p, record.id),
        key,
        status,
        lowest,
        clock.nowMs(),
        ...rows.flatMap(({ change }) => change),
      );
      return Number(taken);
    },
  };
}
