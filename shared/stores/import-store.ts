import type { Clock } from '../clock.ts';
import { IMPORT_STATUSES, type ImportRecord, type ImportStatus } from '../domain/import.ts';
import { createImportId, partitionOfId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { untilReplicated } from '../redis/replicated.ts';
import { defineScripts } from '../redis/scripts.ts';
import { type EventRef, encodeEvent, type NewEvent } from './event-store.ts';
import { decodeImport, encodeImportPatch, type ImportPatch } from './import-codec.ts';
import { createImportIndex } from './import-index.ts';
import { importKeyOf, openMember, partitionOfImport, type ImportRef as Ref } from './import-places.ts';
import { createImportUploads } from './import-upload-store.ts';

export type { ImportPatch } from './import-codec.ts';

export type ImportStoreOptions = {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  clock: Clock;
  retentionMs: number;
  /** How long an open import may be without its engine job. */
  orphanMs: number;
  /** How long an upload may stand still. */
  idleMs: number;
  replicas: number;
  /** An event was written; it is fanned out without being waited for. */
  onEvent?: (event: EventRef) => void;
};

export type ImportMove = {
  /** Absent: as it is. */
  to?: ImportStatus;
  from: readonly ImportStatus[];
  newGeneration?: boolean;
  patch?: ImportPatch;
  /** It ends: refused while rows are under way. */
  ends?: boolean;
  event?: NewEvent;
};

export type ImportMoved =
  | { kind: 'moved'; generation: number }
  | { kind: 'refused'; status: ImportStatus | 'missing' }
  | { kind: 'rows_under_way'; rows: number };

export type ImportStore = ReturnType<typeof createImportStore>;

/** The import records and their way from the first byte to the end; their rows: import-row-store.ts. */
export function createImportStore(options: ImportStoreOptions) {
  const { redis, keys, partitions, clock, retentionMs } = options;
  const scripts = defineScripts(redis);
  async function find(id: string): Promise<ImportRecord | undefined> {
    const p = partitionOfId(id);
    if (p === undefined || p >= partitions) return undefined;
    const [hash, running] = await Promise.all([
      redis.hgetall(keys.import(p, id)),
      redis.zcard(keys.importWindow(p, id)),
    ]);
    return hash.status ? decodeImport(id, hash, running) : undefined;
  }

  /** Every key of an import but the index of its account; the record is the last one. */
  function keysOf(record: ImportRecord): string[] {
    const p = partitionOfImport(record);
    const chunks = Array.from({ length: record.chunks }, (_, chunk) => [
      keys.importRows(p, record.id, chunk),
      keys.importResults(p, record.id, chunk),
    ]);
    return [
      ...chunks.flat(),
      keys.importWindow(p, record.id),
      keys.importBatches(p, record.id),
      keys.importBulk(p, record.id),
      importKeyOf(keys, record),
      keys.import(p, record.id),
    ];
  }

  async function eachKey(record: ImportRecord, act: (key: string) => Promise<unknown>): Promise<void> {
    const all = keysOf(record);
    for (let i = 0; i < all.length; i += 500) await Promise.all(all.slice(i, i + 500).map(act));
  }

  return {
    ...createImportUploads(options),
    ...createImportIndex({ ...options, find }),

    newId: (account: string) => createImportId(partitionOfAccount(account, partitions), clock.nowMs()),
    find,

    async move(record: Ref, wanted: ImportMove): Promise<ImportMoved> {
      const p = partitionOfImport(record);
      const now = clock.nowMs();
      const [code, detail, event] = await scripts.dwImportMove(
        keys.import(p, record.id),
        keys.importWindow(p, record.id),
        keys.importsOpen(p),
        keys.importsOpenOf(p, record.account),
        keys.active(p),
        keys.event(p, record.id),
        keys.outbox(p),
        record.account,
        record.id,
        wanted.to ?? '',
        `,${wanted.from.join(',')},`,
        now,
        wanted.newGeneration ? 1 : '',
        now + options.orphanMs,
        encodeEvent(wanted.event),
        wanted.ends ? 1 : '',
        ...encodeImportPatch(wanted.patch ?? {}),
        // HSET needs at least one pair beside its own; harmless.
        'v',
        1,
      );
      if (code === 1) {
        if (Number(event) > 0) options.onEvent?.({ tag: p, id: `${record.id}.${event}` });
        await untilReplicated(redis, options.replicas);
        return { kind: 'moved', generation: Number(detail) };
      }
      if (code === -1) return { kind: 'rows_under_way', rows: Number(detail) };
      return { kind: 'refused', status: IMPORT_STATUSES.find((known) => known === detail) ?? 'missing' };
    },

    /** Where the feeder looks next: a hint, since rows that are given back lower it. */
    async lookFrom(record: Ref, row: number): Promise<void> {
      await redis.hset(keys.import(partitionOfImport(record), record.id), 'next', row);
    },

    /** Everything of an ended import lives as long as jobs do from now on. */
    expire: (record: ImportRecord) => eachKey(record, (key) => redis.pexpire(key, retentionMs)),

    /** Undoes {@link expire}. */
    persist: (record: ImportRecord) => eachKey(record, (key) => redis.persist(key)),

    /** Removes an import that has ended, or was given up, with everything of it. */
    async erase(record: ImportRecord): Promise<void> {
      const p = partitionOfImport(record);
      const idempotencyKey = record.idempotencyKey === undefined ? undefined : importKeyOf(keys, record);
      await eachKey(record, (key) =>
        // Somebody else may have removed this import, and a new one may have the key.
        key === idempotencyKey ? scripts.dwImportFreeKey(key, record.id) : redis.del(key),
      );
      await Promise.all([
        redis.zrem(keys.imports(p, record.account), record.id),
        redis.srem(keys.importsOpenOf(p, record.account), record.id),
        redis.zrem(keys.importsOpen(p), openMember(record)),
      ]);
    },
  };
}
