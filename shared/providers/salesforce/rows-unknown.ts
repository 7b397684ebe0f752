import { errorBody, type SalesforceFailureRow, SOURCES } from './failure-row.ts';

const unknown = (
  id: string,
  when: string,
  match: SalesforceFailureRow['match'],
  sample: SalesforceFailureRow['sample'],
  more: { source?: string; code?: string } = {},
): SalesforceFailureRow => ({
  id,
  when,
  outcome: 'ambiguous',
  code: more.code ?? 'provider_error',
  source: more.source ?? SOURCES.statusCodes,
  match,
  sample,
});

const HTML = '<html><head><title>Service Unavailable</title></head></html>';

/** Errors that say nothing certain about the write although they look definite; they come before the refusals. */
export const UNCERTAIN_ROWS: SalesforceFailureRow[] = [
  {
    ...unknown(
      'own_key_taken',
      'the upsert met a record with our own key: an earlier try of the same job won or is committing',
      { status: 'refused', codes: ['DUPLICATE_VALUE'], isOwnKey: true },
      {
        status: 400,
        body: errorBody(
          'DUPLICATE_VALUE',
          'duplicate value found: Dealwright_Key__c duplicates value on record with id: 006RO000004Kt7P',
          [],
        ),
      },
      { source: SOURCES.upsertRace },
    ),
    sampleRequest: {
      method: 'PATCH',
      path: '/services/data/v62.0/sobjects/Opportunity/Dealwright_Key__c/01980000-0000-7000-8000-000000000000',
      body: {},
      purpose: 'create',
    },
  },
  unknown(
    'request_cap',
    'the query or the whole request ran into its time limit; a write may have happened',
    { status: 'failed', codes: ['QUERY_TIMEOUT'] },
    { status: 400, body: errorBody('QUERY_TIMEOUT', 'Your query request was running for too long.') },
    { source: SOURCES.limits },
  ),
];

/** Nobody says whether the record was written: it must be looked for before anything is sent again. */
export const UNKNOWN_ROWS: SalesforceFailureRow[] = [
  unknown(
    'server_unavailable',
    '503 with JSON "Server too busy": said at the door, but our whole body was sent',
    { status: [503], codes: ['SERVER_UNAVAILABLE'] },
    { status: 503, body: errorBody('SERVER_UNAVAILABLE', 'Server too busy') },
    { source: 'https://github.com/restforce/restforce/issues/156' },
  ),
  unknown(
    'unexpected',
    '500 with UNKNOWN_EXCEPTION or APEX_ERROR',
    { status: 'server', codes: ['UNKNOWN_EXCEPTION', 'APEX_ERROR'] },
    {
      status: 500,
      body: errorBody(
        'UNKNOWN_EXCEPTION',
        'An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (123456789)',
      ),
    },
  ),
  unknown('internal_empty', '500 without an error we know', { status: [500], body: 'none' }, { status: 500 }),
  unknown(
    'bad_gateway',
    '502: the edge could not talk to the instance',
    { status: [502] },
    { status: 502, body: HTML },
  ),
  unknown('unavailable', 'any other 503', { status: [503] }, { status: 503, body: HTML }),
  unknown(
    'gateway_timeout',
    '504: the instance was too slow for the edge',
    { status: [504] },
    { status: 504, body: HTML },
    { code: 'provider_no_answer' },
  ),
  unknown(
    'server_other',
    'any other 5xx',
    { status: 'server' },
    { status: 599, body: errorBody('SOMETHING_NEW', 'something new') },
  ),
];

/** Codes nobody told us of. */
export const LAST_ROWS: SalesforceFailureRow[] = [
  {
    id: 'refused_other',
    when: 'a 4xx with any other error code: the transaction was rolled back',
    outcome: 'permanent',
    code: 'provider_validation',
    source: SOURCES.coreDataTypes,
    match: { status: 'refused', body: 'errors' },
    sample: { status: 400, body: errorBody('SOMETHING_NEW', 'something new') },
  },
  unknown(
    'unreadable',
    'a 4xx that is not in the form of Salesforce (HTML of something between), a redirect, anything else',
    { status: 'any' },
    { status: 400, body: '<html>proxy</html>' },
    { code: 'provider_bad_answer' },
  ),
];
