import { errorBody, type SalesforceFailureRow, SOURCES } from './failure-row.ts';

type Code =
  | 'provider_validation'
  | 'provider_bad_request'
  | 'provider_forbidden'
  | 'provider_not_found'
  | 'provider_conflict'
  | 'provider_plan_limit';

/** A row of one error code (or several alike) with a sample of the first; a 4xx with a code is rolled back. */
export const refused = (
  id: string,
  code: Code,
  when: string,
  codes: readonly string[],
  words: string,
  more: { status?: number; fields?: string[]; source?: string; message?: RegExp; only?: number[] } = {},
): SalesforceFailureRow => ({
  id,
  when,
  outcome: 'permanent',
  code,
  source: more.source ?? SOURCES.coreDataTypes,
  match: {
    status: more.only ?? 'refused',
    codes,
    ...(more.message === undefined ? {} : { message: more.message }),
  },
  sample: { status: more.status ?? 400, body: errorBody(codes[0] ?? '', words, more.fields) },
});
