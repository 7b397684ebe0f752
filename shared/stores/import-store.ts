import type { Clock } from '../clock.ts';
import {
  IMPORT_STATUSES,
  type ImportRecord,
  type ImportStatus,
  ROWS_PER_CHUNK,
  type RowResult,
  type StoredRow,
} from '../domain/import.ts';
import { createImportId, partitionOfId, sha256Hex } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { defineScripts } from '../redis/scripts.ts';
import { type EventRef, encodeEvent, type NewEvent } from './event-store.ts';
import {
  decodeImport,
  encodeImportPatch,
  encodeNewImport,
  encodeResult,
  type ImportPatch,
  packRows,
} from './import-codec.ts';
import { BelowReplicaTarget } from './job-store.ts';

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

export type Begun =
  | { kind: 'begun' }
  | { kind: 'known'; importId: string }
  | { kind: 'key_reused'; importId: string }
  | { kind: 'no_account' };

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
type Ref = Pick<ImportRecord, 'id' | 'account'>;

/** The import records and their way from the first byte to the end; their rows: import-row-store.ts. */
export function createImportStore(options: ImportStoreOptions) {
  const { redis, keys, partitions, clock, retentionMs } = options;
  const scripts = defineScripts(redis);
  const partitionOf = (id: string) => partitionOfId(id) ?? 0;
  const member = ({ id, account }: Ref) => `${account} ${id}`;
  const keyOf = (record: ImportRecord) =>
    record.idempotencyKey === undefined
      ? keys.import(partitionOf(record.id), record.id)
      : keys.importKey(partitionOf(record.id), record.account, sha256Hex(record.idempotencyKey));

  async function untilReplicated(): Promise<void> {
    if (options.replicas === 0) return;
    const have = await redis.wait(options.replicas, 500);
    if (have < options.replicas)
      throw new BelowReplicaTarget(`${have} of ${options.replicas} replicas have the write`);
  }

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
    const p = partitionOf(record.id);
    const chunks = Array.from({ length: record.chunks }, (_, chunk) => [
      keys.importRows(p, record.id, chunk),
      keys.importResults(p, record.id, chunk),
    ]);
    return [
      ...chunks.flat(),
      keys.importWindow(p, record.id),
      keys.importBatches(p, record.id),
      keys.importBulk(p, record.id),
      keyOf(record),
      keys.import(p, record.id),
    ];
  }

  async function eachKey(record: ImportRecord, act: (key: string) => Promise<unknown>): Promise<void> {
    const all = keysOf(record);
    for (let i = 0; i < all.length; i += 500) await Promise.all(all.slice(i, i + 500).map(act));
  }

  /** What the scripts that only look at an upload's state are asked with. */
  function uploadAt(record: Ref) {
    const p = partitionOf(record.id);
    const now = clock.nowMs();
    return [
      keys.import(p, record.id),
      keys.importsOpen(p),
      member(record),
      now,
      now + options.idleMs,
    ] as const;
  }

  return {
    newId: (account: string) => createImportId(partitionOfAccount(account, partitions), clock.nowMs()),
    find,

    /** @param fingerprint of what is known of the request before its body. */
    async begin(record: ImportRecord, fingerprint: string): Promise<Begun> {
      const p = partitionOf(record.id);
      const [code, importId] = await scripts.dwImportBegin(
        keys.account(p, record.account),
        keyOf(record),
        keys.import(p, record.id),
        keys.importsOpen(p),
        member(record),
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
      const p = partitionOf(record.id);
      const now = clock.nowMs();
      const results = [...known].flatMap(([row, result]) => [fieldOf(row), encodeResult(result)]);
      const [code] = await scripts.dwImportChunk(
        keys.import(p, record.id),
        keys.importRows(p, record.id, chunk),
        keys.importResults(p, record.id, chunk),
        keys.importsOpen(p),
        member(record),
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
      const p = partitionOf(record.id);
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
      await untilReplicated();
      return { bell: bell === 1 };
    },

    async move(record: Ref, wanted: ImportMove): Promise<ImportMoved> {
      const p = partitionOf(record.id);
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
        await untilReplicated();
        return { kind: 'moved', generation: Number(detail) };
      }
      if (code === -1) return { kind: 'rows_under_way', rows: Number(detail) };
      return { kind: 'refused', status: IMPORT_STATUSES.find((known) => known === detail) ?? 'missing' };
    },

    /** Where the feeder looks next: a hint, since rows that are given back lower it. */
    async lookFrom(record: Ref, row: number): Promise<void> {
      await redis.hset(keys.import(partitionOf(record.id), record.id), 'next', row);
    },

    /** Everything of an ended import lives as long as jobs do from now on. */
    expire: (record: ImportRecord) => eachKey(record, (key) => redis.pexpire(key, retentionMs)),

    /** Undoes {@link expire}. */
    persist: (record: ImportRecord) => eachKey(record, (key) => redis.persist(key)),

    /** Removes an import that has ended, or was given up, with everything of it. */
    async erase(record: ImportRecord): Promise<void> {
      const p = partitionOf(record.id);
      const idempotencyKey = record.idempotencyKey === undefined ? undefined : keyOf(record);
      await eachKey(record, (key) =>
        // Somebody else may have removed this import, and a new one may have the key.
        key === idempotencyKey ? scripts.dwImportFreeKey(key, record.id) : redis.del(key),
      );
      await Promise.all([
        redis.zrem(keys.imports(p, record.account), record.id),
        redis.srem(keys.importsOpenOf(p, record.account), record.id),
        redis.zrem(keys.importsOpen(p), member(record)),
      ]);
    },

    /** From new to old; those that have expired are left out. */
    async list(
      accounts: readonly string[],
      cursor: string | undefined,
      limit: number,
    ): Promise<{ imports: ImportRecord[]; nextCursor?: string }> {
      const max = cursor === undefined ? '+' : `(${cursor}`;
      const pages = await Promise.all(
        accounts.map((account) =>
          redis.zrevrangebylex(
            keys.imports(partitionOfAccount(account, partitions), account),
            max,
            '-',
            'LIMIT',
            0,
            limit + 1,
          ),
        ),
      );
      const ids = pages.flat().sort().reverse();
      const shown = ids.slice(0, limit);
      const found = await Promise.all(shown.map(find));
      return {
        imports: found.filter((record) => record !== undefined),
        ...(ids.length > limit ? { nextCursor: shown.at(-1) } : {}),
      };
    },

    /** Takes imports that have expired out of the index of their account. */
    async dropExpired(account: string): Promise<void> {
      const p = partitionOfAccount(account, partitions);
      const ids = await redis.zrangebylex(keys.imports(p, account), '-', '+');
      const exist = await Promise.all(ids.map((id) => redis.exists(keys.import(p, id))));
      const gone = ids.filter((_, i) => exist[i] === 0);
      if (gone.length > 0) await redis.zrem(keys.imports(p, account), ...gone);
    },

    /** Ids of the account's imports that have not ended. */
    open: (account: string): Promise<string[]> =>
      redis.smembers(keys.importsOpenOf(partitionOfAccount(account, partitions), account)),

    /** Open imports of a partition that are due to be looked at. */
    async due(partition: number, limit: number): Promise<{ account: string; id: string }[]> {
      const members = await redis.zrangebyscore(
        keys.importsOpen(partition),
        '-inf',
        clock.nowMs(),
        'LIMIT',
        0,
        limit,
      );
      return members.map((text) => {
        const [account = '', id = ''] = text.split(' ');
        return { account, id };
      });
    },

    async lookAgain(record: Ref, ms: number): Promise<void> {
      await redis.zadd(keys.importsOpen(partitionOf(record.id)), 'XX', clock.nowMs() + ms, member(record));
    },

    /** It is open no more. */
    async forget(record: Ref): Promise<void> {
      const p = partitionOf(record.id);
      await Promise.all([
        redis.zrem(keys.importsOpen(p), member(record)),
        redis.srem(keys.importsOpenOf(p, record.account), record.id),
      ]);
    },
  };
}

/** A row's field in the results of its chunk. */
export const fieldOf = (row: number) => (row - 1) % ROWS_PER_CHUNK;
