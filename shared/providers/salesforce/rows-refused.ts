import { errorBody, type SalesforceFailureRow, SOURCES } from './failure-row.ts';
import { refused } from './refused-row.ts';
import { VALUE_ROWS } from './rows-values.ts';

/** A row decided by the status alone. */
const byStatus = (id: string, when: string, status: number, body?: unknown): SalesforceFailureRow => ({
  id,
  when,
  outcome: 'permanent',
  code: 'provider_bad_request',
  source: SOURCES.statusCodes,
  match: { status: [status] },
  sample: { status, body },
});

const DUPLICATES = [
  refused(
    'duplicate_value',
    'provider_conflict',
    'another record has the same value in a unique field',
    ['DUPLICATE_VALUE'],
    'duplicate value found: Contract__c duplicates value on record with id: 006RO000004Kt7P',
    { fields: [] },
  ),
  refused(
    'duplicate_rule',
    'provider_conflict',
    'a duplicate rule of the customer blocks or alerts',
    ['DUPLICATES_DETECTED'],
    'You’re creating a duplicate record. We recommend you use an existing record instead.',
  ),
  refused(
    'several_records_by_key',
    'provider_conflict',
    'a key that is not unique matches several records, said of one row of a batch',
    ['DUPLICATE_EXTERNAL_ID'],
    'Dealwright_Key__c: more than one record found for external id field: [006RO000004Kt7PYAS, 006RO000004Kt8PYAS]',
    { fields: ['Dealwright_Key__c'] },
  ),
  {
    ...byStatus('several_records', 'a key that is not unique matches several records', 300, [
      '/services/data/v62.0/sobjects/Opportunity/006RO000004Kt7PYAS',
    ]),
    code: 'provider_conflict',
    source: SOURCES.upsert,
  },
];

const RIGHTS = [
  refused(
    'no_access',
    'provider_forbidden',
    'the user may not see or change the record or one it refers to (400 or 403)',
    [
      'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
      'INSUFFICIENT_ACCESS_OR_READONLY',
      'INSUFFICIENT_ACCESS',
    ],
    'insufficient access rights on cross-reference id: 001RO00000Abcde',
    { fields: [] },
  ),
  refused(
    'api_not_enabled',
    'provider_forbidden',
    'the edition has no API, or the user lacks "API Enabled"',
    ['API_DISABLED_FOR_ORG'],
    'The REST API is not enabled for this Organization.',
    { status: 403 },
  ),
  refused(
    'plan_limit',
    'provider_plan_limit',
    'storage, licences or another quota are used up until an administrator acts',
    ['STORAGE_LIMIT_EXCEEDED', 'EXCEEDED_QUOTA', 'LICENSE_LIMIT_EXCEEDED'],
    'storage limit exceeded',
    { status: 403 },
  ),
];

const ADDRESS = [
  refused(
    'key_field_missing',
    'provider_not_found',
    "the marker's external-id field does not exist or is hidden from the user",
    ['NOT_FOUND'],
    'Provided external ID field does not exist or is not accessible: Dealwright_Key__c',
    { status: 404, only: [404], message: /external ID field does not exist/i, source: SOURCES.upsert },
  ),
  refused(
    'not_found',
    'provider_not_found',
    'no such object or record',
    ['NOT_FOUND'],
    'The requested resource does not exist',
    { status: 404, only: [404], source: SOURCES.statusCodes },
  ),
  byStatus(
    'method_not_allowed',
    'the resource does not take this method',
    405,
    errorBody('METHOD_NOT_ALLOWED', "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,POST"),
  ),
  byStatus(
    'version_retired',
    "the API version is retired; see the account's salesforce.api_version",
    410,
    errorBody('NOT_FOUND', 'The requested resource does not exist'),
  ),
  byStatus('precondition_failed', 'a conditional header did not hold', 412),
  byStatus('body_too_large', 'the body is larger than 50 MB', 413),
  byStatus('uri_too_long', 'path and query exceed 16,384 bytes', 414),
  byStatus('media_type', 'the body has a type Salesforce does not read', 415),
  byStatus('precondition_required', 'a conditional header is required', 428),
  byStatus('headers_too_long', 'path, query and headers exceed 16,384 bytes', 431),
];

/** Not written, and the same request would get the same answer. */
export const REFUSED_ROWS: SalesforceFailureRow[] = [...VALUE_ROWS, ...DUPLICATES, ...RIGHTS, ...ADDRESS];
