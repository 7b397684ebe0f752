import { chunkOfRow } from '../domain/import.ts';
import { rowJobId } from '../ids.ts';
import type { Keys } from '../redis/keys.ts';
import { ownerOf, placeOfKey } from './dedupe-place.ts';
import { type ImportRef, partitionOfImport } from './import-places.ts';

/** Where the rows of an import stand. */
export function createRowPlaces(keys: Keys) {
  function rowKeys(record: Pick<ImportRef, 'id'>, row: number) {
    const p = partitionOfImport(record);
    return {
      p,
      record: keys.import(p, record.id),
      results: keys.importResults(p, record.id, chunkOfRow(row)),
      job: keys.job(p, rowJobId(record.id, row)),
      batches: keys.importBatches(p, record.id),
      bulk: keys.importBulk(p, record.id),
    };
  }

  /** Key, field and owner of a dedupe key; for a row without one, a key that is not touched. */
  function dedupeOf(record: ImportRef, row: number, dedupeKey: string | undefined) {
    const p = partitionOfImport(record);
    if (dedupeKey === undefined) return { key: keys.import(p, record.id), field: '', owner: '' };
    const { bucket, field } = placeOfKey(dedupeKey);
    return {
      key: keys.dedupe(p, record.account, bucket),
      field,
      owner: ownerOf(record.id, row),
    };
  }

  return {
    /** Rows that are jobs now. */
    window: (record: ImportRef) => keys.importWindow(partitionOfImport(record), record.id),
    rowKeys,
    dedupeOf,
  };
}
