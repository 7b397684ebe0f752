import type { Clock } from '../clock.ts';
import { fieldOf, firstRowOfChunk, type RowResult, type RowStatus } from '../domain/import.ts';
import type { JobStatus } from '../domain/job.ts';
import { rowJobId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScripts } from '../redis/scripts.ts';
import { claimPlaces } from './claim-places.ts';
import { partitionOfImport, type ImportRef as Ref } from './import-places.ts';
import {
  decodeAgain,
  decodeResult,
  type EarlierLife,
  encodeAgain,
  encodeResult,
} from './import-row-codec.ts';
import { createRowPlaces } from './import-row-places.ts';

/** What held a row that went together with others: the batch of its chunk, or the import's bulk job. */
export type RowHolder = number | 'bulk';

/** Results of a chunk: those that stand, and the rows that are to be tried again. */
export type ChunkResults = { results: Map<number, RowResult>; again: Map<number, EarlierLife> };

/** What became of the rows of imports. */
export function createImportRowResults(options: {
  redis: RedisClient;
  keys: Keys;
  clock: Clock;
  retentionMs: number;
}) {
  const { redis, keys, clock } = options;
  const scripts = defineScripts(redis);
  const { window, rowKeys, dedupeOf } = createRowPlaces(keys);

  return {
    async results(record: Ref, chunk: number): Promise<ChunkResults> {
      const hash = await redis.hgetall(keys.importResults(partitionOfImport(record), record.id, chunk));
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
          : { own: at.record, packed: [at.record], fieldHex: '' };
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
        Buffer.from(claim.fieldHex, 'hex'),
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
     * Takes back results of one status in a chunk, so that their rows are tried again.
     * @returns how many.
     */
    async reopen(
      record: Ref,
      chunk: number,
      status: RowStatus,
      isWanted: (row: number) => boolean,
    ): Promise<number> {
      const p = partitionOfImport(record);
      const key = keys.importResults(p, record.id, chunk);
      const hash = await redis.hgetall(key);
      const rows = Object.entries(hash).flatMap(([field, text]) => {
        const row = firstRowOfChunk(chunk) + Number(field);
        const result = decodeResult(text);
        if (result?.status !== status || !isWanted(row)) return [];
        const { attempt = 0, generation = 0, sequence = 0 } = result;
        return [{ row, change: [field, text, encodeAgain({ attempt, generation, sequence })] }];
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
