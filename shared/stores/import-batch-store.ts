import type { Clock } from '../clock.ts';
import type { Sender } from '../domain/job.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScripts, type ScriptPart, type ScriptReply } from '../redis/scripts.ts';
import { bytesOfJob, jobOfOwner, ownerOf, placeOfKey } from './dedupe-place.ts';
import { partitionOfImport, type ImportRef as Ref } from './import-places.ts';

/** Rows of one chunk that go, or went, in one call and have neither a result nor a job yet. */
export type Batch = {
  /** A chunk has one batch at a time, so that no row is in two. */
  chunk: number;
  rows: number[];
  /** How often it was sent. */
  sends: number;
  sentAtMs: number;
  /** Its last call may have written any of them. */
  inDoubt: boolean;
  /** A call before the last one may have. */
  doubtedBefore: boolean;
  /** The provider's field that has the keys of its rows. */
  keyField: string;
  /** Version of the account's credentials it was last sent with, and who that is, where it is known. */
  grant?: number;
  sender?: Sender;
};

/** Where a batch stands before it was ever sent. */
export type BatchAt = Pick<Batch, 'chunk' | 'sends' | 'keyField' | 'grant' | 'sender'>;

/** `begun` and `not_yet` carry what the gate said; `held`: the import begins no rows now; `taken`: another run has the batch. */
export type BatchSent =
  | { kind: 'begun'; entered: ScriptReply }
  | { kind: 'not_yet'; reply: ScriptReply }
  | { kind: 'held' }
  | { kind: 'taken' };

export type ImportBatchStore = ReturnType<typeof createImportBatchStore>;

/** The batches that an import has under way. */
export function createImportBatchStore(options: {
  redis: RedisClient;
  keys: Keys;
  clock: Clock;
  retentionMs: number;
}) {
  const { redis, keys, clock } = options;
  const scripts = defineScripts(redis);

  const keysOf = (record: Ref) => {
    const p = partitionOfImport(record);
    return [
      keys.import(p, record.id),
      keys.importBatches(p, record.id),
      keys.importBulk(p, record.id),
    ] as const;
  };
  const argsOf = (
    { chunk, sends, keyField, grant, sender }: BatchAt,
    wanted: 'send' | 'take' | 'refused' | 'rest',
    rows: readonly number[] = [],
  ) => [
    chunk,
    sends === 0 ? '' : sends,
    clock.nowMs(),
    wanted,
    rows.length > 0 ? JSON.stringify(rows) : '',
    rows.length,
    keyField,
    grant === undefined ? '' : JSON.stringify({ grant, sender }),
  ];

  async function claim(
    record: Ref,
    row: number,
    dedupeKey: string,
    more: { goneOwner?: string; free?: true },
  ): Promise<string | undefined> {
    const { bucket, field } = placeOfKey(dedupeKey);
    const [code, owner] = await scripts.dwImportClaim(
      keys.dedupe(partitionOfImport(record), record.account, bucket),
      field,
      ownerOf(record.id, row),
      more.goneOwner === undefined ? '' : bytesOfJob(more.goneOwner),
      options.retentionMs,
      more.free ? 1 : '',
    );
    return code === 1 ? undefined : jobOfOwner(String(owner));
  }

  return {
    async list(record: Ref): Promise<Batch[]> {
      const hash = await redis.hgetall(keys.importBatches(partitionOfImport(record), record.id));
      return Object.entries(hash).map(([chunk, text]) => decode(Number(chunk), text));
    },

    async find(record: Ref, chunk: number): Promise<Batch | undefined> {
      const text = await redis.hget(keys.importBatches(partitionOfImport(record), record.id), String(chunk));
      return text ? decode(chunk, text) : undefined;
    },

    /** Asks the gate and, when it lets the call pass, says which rows are about to leave, in one step. */
    async send(record: Ref, at: BatchAt, rows: readonly number[], gate: ScriptPart): Promise<BatchSent> {
      const reply = await scripts.dwEnterAndBatch(
        ...gate.keys,
        ...keysOf(record),
        ...gate.args,
        ...argsOf(at, 'send', rows),
      );
      const [decided, code, , ...entered] = reply;
      if (decided !== 2) return { kind: 'not_yet', reply };
      if (code === 1) return { kind: 'begun', entered: [1, 0, ...entered] };
      return { kind: code === -1 ? 'held' : 'taken' };
    },

    /** Rows that a bulk job may have written become a batch in doubt. @returns whether they did. */
    async take(record: Ref, at: Omit<BatchAt, 'sends'>, rows: readonly number[]): Promise<boolean> {
      const args = argsOf({ ...at, sends: 0 }, 'take', rows);
      const [code] = await scripts.dwImportBatch(...keysOf(record), ...args);
      return code === 1;
    },

    /** Nothing of its last call was written. */
    async refused(record: Ref, batch: Batch): Promise<void> {
      await scripts.dwImportBatch(...keysOf(record), ...argsOf(batch, 'refused'));
    },

    /** Nothing of it was ever written: its rows wait as if they had not been begun. */
    async rest(record: Ref, batch: Batch): Promise<void> {
      await scripts.dwImportBatch(...keysOf(record), ...argsOf(batch, 'rest'));
    },

    /** @returns undefined when the key is this row's now, else the job of the row that has it. */
    claim: (record: Ref, row: number, dedupeKey: string, goneOwner?: string) =>
      claim(record, row, dedupeKey, { goneOwner }),

    /** Undoes {@link claim}, for a row that is not begun after all. */
    async free(record: Ref, row: number, dedupeKey: string): Promise<void> {
      await claim(record, row, dedupeKey, { free: true });
    },
  };
}

function decode(chunk: number, text: string): Batch {
  // Written by import-batch.lua.
  const { rows, sends, at, doubt, doubted, key, by } = JSON.parse(text) as {
    rows: number[];
    sends: number;
    at: number;
    doubt: boolean;
    doubted: boolean;
    key: string;
    by?: Pick<Batch, 'grant' | 'sender'>;
  };
  return {
    ...{ chunk, rows, sends, sentAtMs: at, inDoubt: doubt, doubtedBefore: doubted, keyField: key },
    ...by,
  };
}
