import type { ImportRecord } from '../domain/import.ts';
import { partitionOfId, sha256Hex } from '../ids.ts';
import type { Keys } from '../redis/keys.ts';

/** What the keys of an import follow from. */
export type ImportRef = Pick<ImportRecord, 'id' | 'account'>;

export const partitionOfImport = ({ id }: Pick<ImportRef, 'id'>): number => partitionOfId(id) ?? 0;

/** As it stands among the open ones of its partition. */
export const openMember = ({ id, account }: ImportRef): string => `${account} ${id}`;

/** Its idempotency key; without one, the record itself. */
export function importKeyOf(keys: Keys, record: ImportRecord): string {
  const p = partitionOfImport(record);
  return record.idempotencyKey === undefined
    ? keys.import(p, record.id)
    : keys.importKey(p, record.account, sha256Hex(record.idempotencyKey));
}
