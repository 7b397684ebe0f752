import type { Clock } from '../clock.ts';
import { chunkOfRow, fieldOf, type ImportRecord, type RowResult, type StoredRow } from '../domain/import.ts';
import { JOB_STATUSES, type JobStatus } from '../domain/job.ts';
import { rowJobId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScripts } from '../redis/scripts.ts';
import { bytesOfJob, jobOfOwner } from './dedupe-place.ts';
import { partitionOfImport, type ImportRef as Ref } from './import-places.ts';
import { type EarlierLife, encodeResult, unpackRows } from './import-row-codec.ts';
import { createRowPlaces } from './import-row-places.ts';
import { createImportRowResults } from './import-row-results.ts';
import { encodeNewJob, encodePatch, type JobPatch } from './job-codec.ts';
import type { AcceptInput } from './job-moves.ts';
import { newJobRecord } from './new-job.ts';

export type { EarlierLife } from './import-row-codec.ts';
export type { RowHolder } from './import-row-results.ts';

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

export type ImportRowStore = ReturnType<typeof createImportRowStore>;

/** Rows of imports: as they rest, as jobs while they are worked, and their results. */
export function createImportRowStore(options: ImportRowStoreOptions) {
  const { redis, keys, clock } = options;
  const scripts = defineScripts(redis);
  const { window, rowKeys, dedupeOf } = createRowPlaces(keys);

  return {
    ...createImportRowResults(options),

    /** Rows of a chunk as they came; undefined when they have expired. */
    async chunk(record: Ref, chunk: number): Promise<StoredRow[] | undefined> {
      const packed = await redis.getBuffer(keys.importRows(partitionOfImport(record), record.id, chunk));
      return packed ? unpackRows(packed) : undefined;
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
      record: Ref & Pick<ImportRecord, 'createdAtMs'>,
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
      const sequence = (more.earlier?.sequence ?? 0) + 1;
      // It was accepted with its import: what Redis forgot since then may hold a life of it that nobody knows of.
      const job = {
        ...newJobRecord(jobId, input, undefined, record.createdAtMs),
        updatedAtMs: now,
        generation,
        sequence,
      };
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
  };
}
