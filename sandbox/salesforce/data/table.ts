/** A column's value at rest: datetimes as milliseconds, dates as `YYYY-MM-DD`. */
export type FieldValue = string | number | boolean | null;
export type FieldValues = Record<string, FieldValue>;

export type StoredRecord = {
  readonly id: string;
  values: FieldValues;
  /** In the Recycle Bin. */
  deleted: boolean;
  readonly commit: Commit;
};

/** When a record came to be, in numbers of calls. */
export type Commit = {
  /** The call that created it. */
  byCall: number;
  /** The latest call that had begun by then: up to this one, others were in flight together with it. */
  lastCall: number;
};

/** The records of one object in creation order, with equality indexes. */
export type Table = {
  insert(record: StoredRecord): void;
  update(record: StoredRecord, changes: FieldValues): void;
  /** To the Recycle Bin. */
  remove(record: StoredRecord): void;
  get(id: string): StoredRecord | undefined;
  /** Live records by an indexed column; undefined when the column has no index. */
  findBy(field: string, value: FieldValue): StoredRecord[] | undefined;
  all(): Iterable<StoredRecord>;
  /** Records, the deleted ones included. */
  size(): number;
};

/** Salesforce compares text without regard to case, so that index keys are folded. */
export function fold(value: FieldValue): string {
  return typeof value === 'string' ? value.toLowerCase() : String(value);
}

/** `remember` gets the way back of every change, for transactions. */
export function createTable(indexed: string[], remember: (undo: () => void) => void): Table {
  const rows = new Map<string, StoredRecord>();
  const indexes = new Map(indexed.map((field) => [field, new Map<string, StoredRecord[]>()]));
  const link = (record: StoredRecord): void => {
    for (const [field, index] of indexes) {
      const value = record.values[field] ?? null;
      if (value === null) continue;
      const key = fold(value);
      const known = index.get(key);
      if (known === undefined) index.set(key, [record]);
      else known.push(record);
    }
  };
  const unlink = (record: StoredRecord): void => {
    for (const [field, index] of indexes) {
      const value = record.values[field] ?? null;
      if (value === null) continue;
      const key = fold(value);
      const rest = index.get(key)?.filter((other) => other !== record) ?? [];
      if (rest.length === 0) index.delete(key);
      else index.set(key, rest);
    }
  };
  return {
    insert(record) {
      rows.set(record.id, record);
      link(record);
      remember(() => {
        unlink(record);
        rows.delete(record.id);
      });
    },
    update(record, changes) {
      const before = record.values;
      const set = (values: FieldValues): void => {
        if (!record.deleted) unlink(record);
        record.values = values;
        if (!record.deleted) link(record);
      };
      set({ ...before, ...changes });
      remember(() => set(before));
    },
    remove(record) {
      unlink(record);
      record.deleted = true;
      remember(() => {
        record.deleted = false;
        link(record);
      });
    },
    get: (id) => rows.get(id),
    findBy: (field, value) => {
      const index = indexes.get(field);
      return index && (index.get(fold(value)) ?? []);
    },
    all: () => rows.values(),
    size: () => rows.size,
  };
}
