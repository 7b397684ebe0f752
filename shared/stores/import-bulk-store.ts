import type { Clock } from '../clock.ts';
import type { BulkProgress } from '../providers/bulk-steps.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScripts } from '../redis/scripts.ts';
import { partitionOfImport, type ImportRef as Ref } from './import-places.ts';

/**
 * A bulk job of an import. Its rows are those between `first` and `last` that have neither a result nor a job: they need not
 * be listed.
 */
export type ImportBulk = {
  first: number;
  last: number;
  /** Changes so far: whoever has seen an older state changes nothing. */
  changes: number;
  /** Rows that count as under way with it. */
  rows: number;
  /** Undefined: nothing is open at the provider. */
  progress: BulkProgress | undefined;
  /** The provider's field that has the keys of its rows. */
  keyField: string;
  /** When its last step had to be put off, in a row. */
  putOff: number;
  /**
   * The job is over and its results are stored; what it left goes in batches. `doubted`: any of that may have been written
   * and is looked for first.
   */
  left?: 'doubted' | 'unwritten';
};

export type BulkPatch = {
  progress?: BulkProgress | null;
  /** When it was closed: from then on its rows may be written. */
  closedAtMs?: number;
  left?: ImportBulk['left'];
  putOff?: number;
};

export type ImportBulkStore = ReturnType<typeof createImportBulkStore>;

/** The one bulk job that an import may have under way. Every change tells whether it was made; false: another run was there first. */
export function createImportBulkStore(deps: { redis: RedisClient; keys: Keys; clock: Clock }) {
  const { redis, keys, clock } = deps;
  const scripts = defineScripts(redis);
  const keysOf = (record: Ref) => {
    const p = partitionOfImport(record);
    return [keys.import(p, record.id), keys.importBulk(p, record.id)] as const;
  };

  async function change(
    record: Ref,
    changes: number | '',
    wanted: 'begin' | 'advance' | 'save' | 'settled' | 'drop',
    detail: number | '',
    fields: readonly (string | number)[] = [],
  ): Promise<boolean> {
    const [code] = await scripts.dwImportBulk(
      ...keysOf(record),
      changes,
      clock.nowMs(),
      wanted,
      detail,
      ...fields,
    );
    return code === 1;
  }

  return {
    async find(record: Ref): Promise<ImportBulk | undefined> {
      const hash = await redis.hgetall(keysOf(record)[1]);
      return hash.changes ? decode(hash) : undefined;
    },

    /** @returns false also when the import begins no rows now. */
    begin: (
      record: Ref,
      { first, last, rows, keyField }: Pick<ImportBulk, 'first' | 'last' | 'rows' | 'keyField'>,
    ) => change(record, '', 'begin', rows, ['first', first, 'last', last, 'key', keyField]),

    /** As {@link save}, while the import begins rows: false, too, when it was paused or stopped. */
    advance: (record: Ref, bulk: ImportBulk, patch: BulkPatch) =>
      change(record, bulk.changes, 'advance', '', encode(patch)),

    save: (record: Ref, bulk: ImportBulk, patch: BulkPatch) =>
      change(record, bulk.changes, 'save', '', encode(patch)),

    /** The rows without a result were not written: they count as under way no more. */
    settled: (record: Ref, bulk: ImportBulk) =>
      change(record, bulk.changes, 'settled', '', encode({ left: 'unwritten' })),

    /** It is over. @param nextRow where the feeder looks for the next rows. */
    drop: (record: Ref, bulk: ImportBulk, nextRow: number) => change(record, bulk.changes, 'drop', nextRow),
  };
}

function encode(patch: BulkPatch): (string | number)[] {
  const out: (string | number)[] = [];
  if (patch.progress !== undefined) {
    out.push('progress', patch.progress === null ? '' : JSON.stringify(patch.progress));
  }
  if (patch.closedAtMs !== undefined) out.push('at', patch.closedAtMs);
  if (patch.left !== undefined) out.push('left', patch.left);
  if (patch.putOff !== undefined) out.push('put_off', patch.putOff);
  return out;
}

function decode(hash: Record<string, string>): ImportBulk {
  const { left } = hash;
  return {
    first: Number(hash.first),
    last: Number(hash.last),
    changes: Number(hash.changes),
    rows: Number(hash.rows),
    progress: hash.progress ? JSON.parse(hash.progress) : undefined,
    keyField: hash.key ?? '',
    putOff: Number(hash.put_off ?? 0),
    ...(left === 'doubted' || left === 'unwritten' ? { left } : {}),
  };
}
