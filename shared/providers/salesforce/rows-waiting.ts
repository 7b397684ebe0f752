import { errorBody, type SalesforceFailureRow, SOURCES } from './failure-row.ts';

const later = (
  id: string,
  when: string,
  source: string,
  match: SalesforceFailureRow['match'],
  sample: SalesforceFailureRow['sample'],
): SalesforceFailureRow => ({
  id,
  when,
  outcome: 'retryable',
  code: 'provider_unavailable',
  source,
  match,
  sample,
});

/** As {@link later}, and true of every request: the organisation as a whole is closed. */
const closed = (...row: Parameters<typeof later>): SalesforceFailureRow => ({
  ...later(...row),
  outage: true,
});

const reauth = (
  id: string,
  when: string,
  source: string,
  match: SalesforceFailureRow['match'],
  body: unknown,
): SalesforceFailureRow => ({
  id,
  when,
  outcome: 'needs_reauth',
  code: 'account_needs_reauth',
  source,
  match,
  sample: { status: 401, body },
});

/** Not written, and worth coming back: sessions, closed doors, maintenance. */
export const WAITING_ROWS: SalesforceFailureRow[] = [
  later(
    'trigger_limits',
    'a trigger used up its queries, which depends on what else runs in the transaction',
    SOURCES.lockDisguised,
    {
      status: 'refused',
      codes: ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY'],
      message: /Too many SOQL queries/i,
    },
    {
      status: 400,
      body: errorBody(
        'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
        'OppTrigger: System.LimitException: Too many SOQL queries: 101',
        [],
      ),
    },
  ),
  reauth(
    'session_unusable',
    'a session that refreshing does not cure (wrong kind of user or app)',
    SOURCES.jsforce,
    { status: [401], message: /not valid for use with the REST API|not attached to Agent/i },
    errorBody('INVALID_SESSION_ID', 'This session is not valid for use with the REST API'),
  ),
  reauth(
    'session_expired',
    'the access token is expired or revoked; it was refreshed once before this is asked',
    SOURCES.statusCodes,
    { status: [401], codes: ['INVALID_SESSION_ID'] },
    errorBody('INVALID_SESSION_ID', 'Session expired or invalid'),
  ),
  reauth(
    'session_other',
    'any other 401 (as INVALID_AUTH_HEADER): a 401 is never a write',
    SOURCES.statusCodes,
    { status: [401] },
    errorBody('INVALID_AUTH_HEADER', 'INVALID_HEADER_TYPE'),
  ),
  closed(
    'api_disabled_for_now',
    'a system problem on their side, announced as temporary',
    SOURCES.coreDataTypes,
    { status: 'failed', codes: ['API_CURRENTLY_DISABLED', 'FUNCTIONALITY_NOT_ENABLED'] },
    {
      status: 403,
      body: errorBody(
        'API_CURRENTLY_DISABLED',
        'The API is temporarily unavailable due to a system problem.',
      ),
    },
  ),
  closed(
    'maintenance',
    'read-only maintenance window',
    SOURCES.restforce,
    {
      status: 'failed',
      codes: ['INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE', 'INVALID_READ_ONLY_USER_DML'],
    },
    {
      status: 400,
      body: errorBody('INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE', 'read-only during maintenance'),
    },
  ),
  later(
    'metering',
    'transaction security or Apex load metering',
    SOURCES.coreDataTypes,
    { status: 'refused', codes: ['TXN_SECURITY_METERING_ERROR', 'TOO_MANY_APEX_REQUESTS'] },
    { status: 400, body: errorBody('TXN_SECURITY_METERING_ERROR', 'Try again later.') },
  ),
  later(
    'rolled_back_with_others',
    'nothing wrong with this record: it was taken back with others of its transaction',
    SOURCES.collections,
    { status: 'failed', codes: ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'PROCESSING_HALTED'] },
    {
      status: 400,
      body: errorBody(
        'ALL_OR_NONE_OPERATION_ROLLED_BACK',
        'Record rolled back because not all records were valid and the request was using AllOrNone header',
        [],
      ),
    },
  ),
  later(
    'not_acceptable',
    '406 with an empty body from the edge',
    SOURCES.statusCodes,
    { status: [406] },
    { status: 406 },
  ),
  closed(
    'host_not_ready',
    '420 HTML: the host has no routing (moved, or being set up)',
    SOURCES.statusCodes,
    { status: [420] },
    { status: 420, body: '<html><body>We are setting things up</body></html>' },
  ),
];
