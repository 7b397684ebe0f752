import { makeId } from '../ids.ts';
import { stockObjects } from '../schema/objects.ts';
import { seed } from './seed.ts';
import { type Commit, createTable, type FieldValues, type StoredRecord, type Table } from './table.ts';

export type Transaction = { commit(): void; rollback(): void };

/** All records of the org. Everything is synchronous, so that a call is one transaction by itself. */
export type Store = {
  table(object: string): Table;
  /** Adds a record with a new id. */
  create(object: string, values: FieldValues, commit: Commit): StoredRecord;
  /** From here changes can be taken back; transactions nest. */
  begin(): Transaction;
};

// Reference columns that lists are filtered by; external ids and idLookups are indexed in any case.
const indexedReferences = new Set(['AccountId', 'OpportunityId', 'Dealwright_Ref__c', 'EntityId']);
// Ids below this belong to the seed.
const firstFreeNumber = 100_000;

export function createStore(nowMs: number, nextNumber: () => number): Store {
  const undos: (() => void)[] = [];
  let depth = 0;
  const remember = (undo: () => void): void => {
    if (depth > 0) undos.push(undo);
  };
  const kinds = new Map(
    stockObjects().map(({ name, keyPrefix, fields }) => {
      const indexed = fields
        .filter(
          (field) =>
            (field.externalId || field.idLookup || indexedReferences.has(field.name)) && field.name !== 'Id',
        )
        .map((field) => field.name);
      return [name, { keyPrefix, table: createTable(indexed, remember) }];
    }),
  );
  const kind = (object: string) => {
    const found = kinds.get(object);
    if (found === undefined) throw new Error(`the sandbox keeps no ${object}`);
    return found;
  };
  const add = (object: string, id: string, values: FieldValues, commit: Commit): StoredRecord => {
    const record: StoredRecord = { id, values: { Id: id, ...values }, deleted: false, commit };
    kind(object).table.insert(record);
    return record;
  };
  seed((object, number, values) => {
    const id = makeId(kind(object).keyPrefix, number);
    return add(object, id, values, { byCall: 0, lastCall: 0 }).id;
  }, nowMs);
  return {
    table: (object) => kind(object).table,
    create(object, values, commit) {
      const id = makeId(kind(object).keyPrefix, firstFreeNumber + nextNumber());
      return add(object, id, values, commit);
    },
    begin() {
      const mark = undos.length;
      depth += 1;
      const end = (): void => {
        depth -= 1;
        if (depth === 0) undos.length = 0;
      };
      return {
        commit: end,
        rollback() {
          while (undos.length > mark) undos.pop()?.();
          end();
        },
      };
    },
  };
}
