import { pointerSegment } from '../merge-remote-data.ts';

/** Salesforce fields that the unified model has a name for, and where that is in our body. */
export const FIELD_POINTERS = {
  Name: '/name',
  StageName: '/stage/name',
  CloseDate: '/close_date',
  Amount: '/amount',
  CurrencyIsoCode: '/currency',
  OwnerId: '/owner/id',
  AccountId: '/account/id',
  ContactId: '/contact/0/id',
  Description: '/description',
  CreatedDate: '/created_at',
} as const;

const POINTER_BY_LOWER_CASE = new Map(
  Object.entries(FIELD_POINTERS).map(([field, pointer]): [string, string] => [field.toLowerCase(), pointer]),
);

/** Where a mapped standard field is in our body, whatever its case; undefined for every other field. */
export function findMappedPointer(field: string): string | undefined {
  return POINTER_BY_LOWER_CASE.get(field.toLowerCase());
}

/** Where a Salesforce field is in our body: the unified field, else a custom field, else `remote_data`. */
export function pointerOf(field: string): string {
  const mapped = findMappedPointer(field);
  if (mapped !== undefined) return mapped;
  const parent = /__c$/i.test(field) ? '/custom_fields' : '/remote_data';
  return `${parent}/${pointerSegment(field)}`;
}
