import type { Clock } from '../clock.ts';
import type { ImportRecord } from '../domain/import.ts';
import { partitionOfId, sha256Hex } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScripts } from '../redis/scripts.ts';
import { ownerOf } from './import-row-store.ts';

/** Rows that go, or went, in one call. */
export type Batch = {
  rows: number[];
  /** How often it was sent. */
  sends: number;
  sentAtMs: number;
  /** Its last call may have written any of them. */
  inDoubt: boolean;
  /** A call before the last one may have. */
  doubtedBefore: boolean;
};

type Ref = Pick<ImportRecord, 'id' | 'account'>;
export type ImportBatchStore = ReturnType<typeof createImportBatchStore>;

/** The one batch that an import may have under way. */
export function createImportBatchStore(options: {
  redis: RedisClient;
  keys: Keys;
  clock: Clock;
  retentionMs: number;
}) {
  const { redis, keys, clock } = options;
  const scripts = defineScripts(redis);
  const partition = (record: Ref) => partitionOfId(record.id) ?? 0;

  async function write(
    record: Ref,
    sends: number,
    wanted: 'send' | 'refused' | 'done',
    rows?: readonly number[],
  ): Promise<boolean> {
    const p = partition(record);
    const [code] = await scripts.dwImportBatch(
      keys.import(p, record.id),
      keys.importBatch(p, record.id),
      sends === 0 ? '' : sends,
      clock.nowMs(),
      wanted,
      rows ? JSON.stringify(rows) : '',
      rows?.length ?? 0,
    );
    return code === 1;
  }

  return {
    async find(record: Ref): Promise<Batch | undefined> {
      const hash = await redis.hgetall(keys.importBatch(partition(record), record.id));
      if (!hash.rows) return undefined;
      return {
        rows: JSON.parse(hash.rows),
        sends: Number(hash.sends),
        sentAtMs: Number(hash.at),
        inDoubt: hash.doubt === '1',
        doubtedBefore: hash.doubted === '1',
      };
    },

    /**
     * The call is about to leave. @param sends those before it.
     * @returns false when another run has the batch, or the import begins no rows now.
     */
    send: (record: Ref, sends: number, rows: readonly number[]) => write(record, sends, 'send', rows),
    /** Nothing of its last call was written. */
    refused: (record: Ref, sends: number) => write(record, sends, 'refused'),
    /** Each of its rows has its result or is a job. */
    done: (record: Ref, sends: number) => write(record, sends, 'done'),

    /** @returns undefined when the key is this row's now, else the row that has it. */
    async claim(
      record: Ref,
      row: number,
      dedupeKey: string,
      goneOwner?: string,
    ): Promise<string | undefined> {
      const hash = sha256Hex(dedupeKey);
      const [code, owner] = await scripts.dwImportClaim(
        keys.dedupe(partition(record), record.account, hash.slice(16, 19)),
        hash.slice(0, 16),
        ownerOf(record.id, row),
        goneOwner ?? '',
        options.retentionMs,
      );
      return code === 1 ? undefined : String(owner);
    },
  };
}
