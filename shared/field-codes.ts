/**
 * What can be wrong with one field, where no code of the error catalogue says it: in `details.failures`, and as `code` of a refused row
 * of an import. Published like that catalogue, and as stable.
 */
export const FIELD_CODES = {
  missing: 'The field is required.',
  unknown_field:
    'There is no such field or parameter; the message names the nearest one, or those there are.',
  wrong_type: 'The value is of another type.',
  invalid_value: 'The value is none of those allowed, or not of the form the message names.',
  too_small: 'The number is too small, or the text, list or object has too little in it.',
  too_large: 'The number is too large, or the text, list or object has too much in it.',
  not_exact: 'The number has more digits than can be kept exactly.',
  repeated: 'It is given more than once.',
  too_deep: 'It is nested deeper than is read.',
  wrong_cell_count: 'A row of a CSV has more or fewer cells than its header; none of them is read.',
  currency_without_amount: 'Capsule keeps a currency only beside an amount, and on_unsupported is reject.',
} as const;

/** What an answer says although the write goes on: `warnings` of jobs, dry runs and imports. */
export const WARNING_CODES = {
  unsupported_field: 'The provider has no place for the field; it is not written.',
  currency_without_amount: 'Capsule keeps a currency only beside an amount; it is not written.',
  currency_unknown:
    'Close did not tell the currency of the organisation; the message says with how many decimals the amount is written.',
  amount_rounded: 'The amount has more decimals than its field in Salesforce keeps.',
  name_from_description: 'Close has no title: the first line of the description reads back as the name.',
  name_changed: 'Close keeps the name as one line: its line breaks became spaces.',
  standard_field: 'A standard field of Salesforce stands among custom_fields; it is written.',
  duplicate_contact: 'A contact is given more than once; it is written once.',
  replaced_by_remote_data: 'remote_data has its own value for the field, which is used instead.',
  marker_protected: 'remote_data would replace the marker of our own writes; that part was left out.',
  live_values_unavailable: 'The account could not be asked for its live values: a dry run without them.',
  several_records:
    'The provider holds more than one record of this job; the message names the one that was taken, and the others.',
  body_differs: 'The record was found after the request had been corrected, and may hold the earlier values.',
  field_not_kept: 'Close left a custom field out without a word: it may have been deleted there.',
  follow_up_failed: 'A call after the create failed; POST /jobs/ID/retry-follow-ups repeats it.',
  follow_ups_not_planned:
    'The request no longer fits the account, so that the calls after the create are not known.',
  read_back_failed:
    'The record was written and could not be read; the answer holds what its create returned.',
} as const;

export type FieldCode = keyof typeof FIELD_CODES;
export type WarningCode = keyof typeof WARNING_CODES;

export function isFieldCode(code: string): code is FieldCode {
  return Object.hasOwn(FIELD_CODES, code);
}
