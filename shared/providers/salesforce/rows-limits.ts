import { errorBody, type SalesforceFailureRow, SOURCES } from './failure-row.ts';

const LIMIT = ['REQUEST_LIMIT_EXCEEDED'];
const LOCK_TEXT = /UNABLE_TO_LOCK_ROW|unable to obtain exclusive access/i;

/** A limit answer: 403, never 429, and only its message says which limit. */
const limit = (
  id: string,
  when: string,
  scope: NonNullable<SalesforceFailureRow['scope']>,
  words: string,
  message?: RegExp,
): SalesforceFailureRow => ({
  id,
  when,
  outcome: 'rate_limited',
  code: 'provider_rate_limited',
  source: SOURCES.limitMessages,
  scope,
  match: { status: 'failed', codes: LIMIT, ...(message === undefined ? {} : { message }) },
  sample: { status: 403, body: errorBody('REQUEST_LIMIT_EXCEEDED', words) },
});

const lock = (
  id: string,
  when: string,
  source: string,
  match: SalesforceFailureRow['match'],
  sample: SalesforceFailureRow['sample'],
): SalesforceFailureRow => ({
  id,
  when,
  outcome: 'rate_limited',
  code: 'provider_row_locked',
  source,
  scope: 'parent',
  match,
  sample,
});

const LOCK_WORDS = 'unable to obtain exclusive access to this record or 1 records: 001RO00000Abcde';

/** Not written because something is used up or held by somebody else; waiting cures it and costs no attempt. */
export const LIMIT_ROWS: SalesforceFailureRow[] = [
  limit(
    'limit_daily',
    "the organisation's calls of the last 24 hours are used up",
    'daily',
    'TotalRequests Limit exceeded.',
    /TotalRequests/i,
  ),
  limit(
    'limit_concurrent',
    'too many requests run for 20 s or longer at once',
    'concurrency',
    'ConcurrentRequests (Concurrent API Requests) Limit exceeded.',
    /ConcurrentRequests|Concurrent API Requests/i,
  ),
  limit(
    'limit_concurrent_long_transactions',
    'too many long transactions at once',
    'concurrency',
    'ConcurrentPerOrgLongTxn Limit exceeded.',
    /ConcurrentPerOrgLongTxn/i,
  ),
  limit(
    'limit_concurrent_apex',
    'too many Apex requests at once',
    'concurrency',
    'ConcurrentPerOrgApex Limit exceeded.',
    /ConcurrentPerOrgApex/i,
  ),
  limit(
    'limit_other',
    'a limit whose message we do not know (or is translated)',
    'account',
    'Limit exceeded.',
  ),
  {
    ...limit('too_many_requests', '429 from the edge; Salesforce itself never says so', 'account', ''),
    source: SOURCES.statusCodes,
    match: { status: [429] },
    sample: { status: 429, headers: { 'retry-after': '5' }, body: '' },
  },
  lock(
    'lock_wrapped',
    'a trigger met a locked row: the cause is only in the text',
    SOURCES.lockDisguised,
    { status: 'failed', message: LOCK_TEXT },
    {
      status: 400,
      body: errorBody(
        'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
        `OppTrigger: execution of AfterInsert caused by: System.DmlException: Update failed; first error: UNABLE_TO_LOCK_ROW, ${LOCK_WORDS}: []`,
        [],
      ),
    },
  ),
  lock(
    'lock',
    'a record this one hangs on is locked (400 or 500); the transaction is rolled back',
    SOURCES.coreDataTypes,
    { status: 'failed', codes: ['UNABLE_TO_LOCK_ROW'] },
    { status: 500, body: errorBody('UNABLE_TO_LOCK_ROW', 'the row is locked', []) },
  ),
];
