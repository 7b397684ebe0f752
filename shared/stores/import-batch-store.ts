import type { Clock } from '../clock.ts';
import type { ImportRecord } from '../domain/import.ts';
import { partitionOfId, sha256Hex } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScripts, type ScriptPart, type ScriptReply } from '../redis/scripts.ts';
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

/** `begun` and `not_yet` carry what the gate said; `refused`: another run has the batch, or the import begins no rows now. */
export type BatchSent =
  | { kind: 'begun'; entered: ScriptReply }
  | { kind: 'not_yet'; reply: ScriptReply }
  | { kind: 'refused'; why: string };

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

  const keysOf = (record: Ref) => {
    const p = partition(record);
    return [keys.import(p, record.id), keys.importBatch(p, record.id)] as const;
  };
  const argsOf = (sends: number, wanted: 'send' | 'refused' | 'done', rows: readonly number[] = []) => [
    sends === 0 ? '' : sends,
    clock.nowMs(),
    wanted,
    rows.length > 0 ? JSON.stringify(rows) : '',
    rows.length,
  ];

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
     * Asks the gate and, when it lets the call pass, says which rows are about to leave, in one step.
     * @param sends calls before it.
     */
    async send(record: Ref, sends: number, rows: readonly number[], gate: ScriptPart): Promise<BatchSent> {
      const reply = await scripts.dwEnterAndBatch(
        ...gate.keys,
        ...keysOf(record),
        gate.args.length,
        ...gate.args,
        ...argsOf(sends, 'send', rows),
      );
      const [decided, code, , ...entered] = reply;
      if (decided !== 2) return { kind: 'not_yet', reply };
      return code === 1
        ? { kind: 'begun', entered: [1, 0, ...entered] }
        : { kind: 'refused', why: 'the import begins no rows now' };
    },

    /** Nothing of its last call was written. */
    async refused(record: Ref, sends: number): Promise<void> {
      await scripts.dwImportBatch(...keysOf(record), ...argsOf(sends, 'refused'));
    },

    /** Each of its rows has its result or is a job. */
    async done(record: Ref, sends: number): Promise<void> {
      await scripts.dwImportBatch(...keysOf(record), ...argsOf(sends, 'done'));
    },

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
