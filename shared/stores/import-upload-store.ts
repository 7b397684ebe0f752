import type { Clock } from '../clock.ts';
import {
  fieldOf,
  type ImportRecord,
  ROWS_PER_CHUNK,
  type RowResult,
  type StoredRow,
} from '../domain/import.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { untilReplicated } from '../redis/replicated.ts';
import { defineScripts } from '../redis/scripts.ts';
import { encodeImportPatch, encodeNewImport, type ImportPatch } from './import-codec.ts';
import { importKeyOf, openMember, partitionOfImport, type ImportRef as Ref } from './import-places.ts';
import { encodeResult, packRows } from './import-row-codec.ts';

export type Begun =
  | { kind: 'begun' }
  | { kind: 'known'; importId: string }
  | { kind: 'key_reused'; importId: string }
  | { kind: 'no_account' };

/** An import's way from its first byte until it is whole. */
export function createImportUploads(options: {
  redis: RedisClient;
  keys: Keys;
  clock: Clock;
  /** How long an open import may be without its engine job. */
  orphanMs: number;
  /** How long an upload may stand still. */
  idleMs: number;
  replicas: number;
}) {
  const { redis, keys, clock } = options;
  const scripts = defineScripts(redis);

  /** What the scripts that only look at an upload's state are asked with. */
  function uploadAt(record: Ref) {
    const p = partitionOfImport(record);
    const now = clock.nowMs();
    return [
      keys.import(p, record.id),
      keys.importsOpen(p),
      openMember(record),
      now,
      now + options.idleMs,
    ] as const;
  }

  return {
    /** @param fingerprint of what is known of the request before its body. */
    async begin(record: ImportRecord, fingerprint: string): Promise<Begun> {
      const p = partitionOfImport(record);
      const [code, importId] = await scripts.dwImportBegin(
        keys.account(p, record.account),
        importKeyOf(keys, record),
        keys.import(p, record.id),
        keys.importsOpen(p),
        openMember(record),
        record.id,
        record.idempotencyKey === undefined ? '' : fingerprint,
        clock.nowMs() + options.idleMs,
        ...encodeNewImport(record),
      );
      if (code === 1) return { kind: 'begun' };
      if (code === 0) return { kind: 'known', importId: String(importId) };
      return code === -422 ? { kind: 'key_reused', importId: String(importId) } : { kind: 'no_account' };
    },

    /** Bytes of an upload arrive, though no chunk is full. @returns false when it is not being received any more. */
    async sayArriving(record: Ref): Promise<boolean> {
      const [code] = await scripts.dwImportArrives(...uploadAt(record));
      return code === 1;
    },

    /**
     * Stores the next rows of an upload; resolves when Redis has them, so that a fast client waits for it.
     * @returns false when it is not being received any more.
     */
    async putChunk(
      record: Ref,
      chunk: number,
      rows: readonly StoredRow[],
      known: ReadonlyMap<number, RowResult>,
    ): Promise<boolean> {
      const p = partitionOfImport(record);
      const now = clock.nowMs();
      const results = [...known].flatMap(([row, result]) => [fieldOf(row), encodeResult(result)]);
      const [code] = await scripts.dwImportChunk(
        keys.import(p, record.id),
        keys.importRows(p, record.id, chunk),
        keys.importResults(p, record.id, chunk),
        keys.importsOpen(p),
        openMember(record),
        now,
        now + options.idleMs,
        chunk,
        await packRows(rows),
        chunk * ROWS_PER_CHUNK + rows.length,
        known.size,
        ...results,
      );
      return code === 1;
    },

    /** Nothing more of an upload is stored. @returns false when it is whole, or removed. */
    async giveUp(record: Ref): Promise<boolean> {
      const [code] = await scripts.dwImportGiveUp(...uploadAt(record));
      return code === 1;
    },

    /** The upload is whole. Resolves when that is as durable as configured; undefined: it was given up meanwhile. */
    async commit(record: Ref, patch: ImportPatch): Promise<{ bell: boolean } | undefined> {
      const p = partitionOfImport(record);
      const now = clock.nowMs();
      const [code, bell] = await scripts.dwImportCommit(
        keys.import(p, record.id),
        keys.importsOpen(p),
        keys.imports(p, record.account),
        keys.importsOpenOf(p, record.account),
        keys.active(p),
        record.account,
        record.id,
        now,
        now + options.orphanMs,
        ...encodeImportPatch(patch),
      );
      if (code !== 1) return undefined;
      await untilReplicated(redis, options.replicas);
      return { bell: bell === 1 };
    },
  };
}
