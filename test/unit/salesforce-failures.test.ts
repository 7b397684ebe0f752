import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isErrorCode } from '../../shared/errors.ts';
import { salesforce } from '../../shared/providers/salesforce/descriptor.ts';
import { errorBody } from '../../shared/providers/salesforce/failure-row.ts';
import { ANSWER_TABLE, failureTable } from '../../shared/providers/salesforce/failures.ts';
import { anAnswer, CREATE, IDS, UPSERT } from './salesforce-support.ts';

const refused = (errorCode: string, message: string, fields?: string[], status = 400) =>
  salesforce.classify(anAnswer({ status, body: errorBody(errorCode, message, fields) }), CREATE);

describe('the failure table', () => {
  it.each(ANSWER_TABLE.map((row) => ({ ...row, name: row.id })))('$name: $when', (row) => {
    const { status, headers, body } = row.sample;
    const outcome = salesforce.classify(
      anAnswer({ status, headers: headers ?? {}, body }),
      row.sampleRequest ?? CREATE,
    );
    expect(outcome.kind).toBe(row.outcome);
    if (outcome.kind === 'written') return;
    expect(outcome).toMatchObject({ row: row.id, code: row.code, httpStatus: status });
    expect(isErrorCode(outcome.code)).toBe(true);
    expect(outcome.message).not.toBe('');
  });

  it('has a name of its own and a public source for each row', () => {
    expect(new Set(ANSWER_TABLE.map((row) => row.id)).size).toBe(ANSWER_TABLE.length);
    for (const row of failureTable) expect(row.source).toMatch(/^https:\/\//);
  });
});

describe('a record is taken for written', () => {
  it.each([
    [201, { id: '006RO000004Kt7P', success: true, errors: [] }],
    [201, { id: '006RO000004Kt7PYAS', success: true, errors: [], created: true }],
    [200, { id: '006RO000004Kt7PYAS', success: true, errors: [], created: false }],
  ])('only by %s %j and the like', (status, body) => {
    expect(salesforce.classify(anAnswer({ status, body }), UPSERT)).toEqual({
      kind: 'written',
      remoteId: expect.stringMatching(/^006RO000004Kt7P.{3}$/),
      answer: body,
      httpStatus: status,
    });
  });

  it.each([
    [201, { success: true }],
    [
      201,
      { id: '006RO000004Kt7PYAS', success: false, errors: [{ statusCode: 'X', message: 'y', fields: [] }] },
    ],
    [200, 'OK'],
    [204, undefined],
    [200, undefined],
    [301, ''],
  ])('not by %s %j, which is looked into', (status, body) => {
    expect(salesforce.classify(anAnswer({ status, body }), CREATE)).toMatchObject({
      kind: 'ambiguous',
      code: 'provider_bad_answer',
    });
  });
});

describe('the same code with another meaning', () => {
  it.each([
    ['TotalRequests Limit exceeded.', 'daily'],
    ['ConcurrentRequests (Concurrent API Requests) Limit exceeded.', 'concurrency'],
    ['ConcurrentPerOrgLongTxn Limit exceeded.', 'concurrency'],
    ['ConcurrentPerOrgApex Limit exceeded.', 'concurrency'],
    ['Limite überschritten', 'account'],
  ])('REQUEST_LIMIT_EXCEEDED "%s" waits for %s', (message, scope) => {
    expect(refused('REQUEST_LIMIT_EXCEEDED', message, undefined, 403)).toMatchObject({
      kind: 'rate_limited',
      limit: { scope },
    });
  });

  it.each([
    ['UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record or 3 records', 400],
    ['UNABLE_TO_LOCK_ROW', 'impossible de verrouiller', 500],
    ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'OppTrigger: first error: UNABLE_TO_LOCK_ROW, unable', 400],
    ['CANNOT_EXECUTE_FLOW_TRIGGER', 'UNABLE_TO_LOCK_ROW: unable to obtain exclusive access', 400],
  ])('%s "%s" (%s) is a lock', (code, message, status) => {
    expect(refused(code, message, [], status)).toMatchObject({
      kind: 'rate_limited',
      code: 'provider_row_locked',
      limit: { scope: 'parent' },
    });
  });

  const duplicate = (field: string) =>
    anAnswer({
      status: 400,
      body: errorBody(
        'DUPLICATE_VALUE',
        `duplicate value found: ${field} duplicates value on record with id: 006RO000004Kt7P`,
        [],
      ),
    });

  it('DUPLICATE_VALUE is our earlier try when it names the key of our upsert, else a conflict', () => {
    expect(salesforce.classify(duplicate('Key__c'), UPSERT).kind).toBe('ambiguous');
    expect(salesforce.classify(duplicate('KEY__C'), UPSERT).kind).toBe('ambiguous');
    expect(salesforce.classify(duplicate('Other_Key__c'), UPSERT)).toMatchObject({
      kind: 'permanent',
      fields: [{ pointer: '/custom_fields/Other_Key__c' }],
    });
    expect(salesforce.classify(duplicate('Key__c'), CREATE).kind).toBe('permanent');
  });

  it('an ambiguous answer to anything but a create may simply be asked again', () => {
    const request = { ...CREATE, purpose: 'follow_up' } as const;
    expect(salesforce.classify(anAnswer({ status: 502 }), request).kind).toBe('retryable');
  });

  it('takes a stated time if there ever is one', () => {
    const answer = anAnswer({ status: 429, headers: { 'retry-after': '5' } });
    expect(salesforce.classify(answer, CREATE)).toMatchObject({ limit: { untilMs: 1_005_000 } });
  });
});

describe('field errors', () => {
  it.each([
    [
      'REQUIRED_FIELD_MISSING',
      'Required fields are missing: [StageName, CloseDate]',
      undefined,
      ['/stage/name', '/close_date'],
    ],
    [
      'INVALID_FIELD',
      "No such column 'Regio__c' on sobject of type Opportunity",
      undefined,
      ['/custom_fields/Regio__c'],
    ],
    [
      'INVALID_FIELD',
      "No such column 'CurrencyIsoCode' on sobject of type Opportunity",
      undefined,
      ['/currency'],
    ],
    [
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      'Unable to create/update fields: CreatedDate, Foo. Please check the security settings',
      undefined,
      ['/created_at', '/remote_data/Foo'],
    ],
    [
      'INVALID_FIELD',
      'Foreign key external ID: a-1 not found for field MyExtId__c in entity Account',
      undefined,
      ['/custom_fields/MyExtId__c'],
    ],
    ['MALFORMED_ID', 'Account ID: id value of incorrect type: 006', ['AccountId'], ['/account/id']],
    ['FIELD_INTEGRITY_EXCEPTION', 'bad contact', ['ContactId'], ['/contact/0/id']],
    ['INVALID_CROSS_REFERENCE_KEY', 'no such type', ['RecordTypeId'], ['/remote_data/RecordTypeId']],
    [
      'INACTIVE_OWNER_OR_USER',
      'operation performed with inactive user [005RO000000Abcd] as owner of opportunity',
      undefined,
      ['/owner/id'],
    ],
    [
      'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
      `insufficient access rights on cross-reference id: ${IDS.account.slice(0, 15)}`,
      [],
      ['/account/id'],
    ],
    [
      'JSON_PARSER_ERROR',
      `Cannot deserialize instance of date at [line:1, column:${JSON.stringify(CREATE.body).indexOf('"2026-13-01"') + 1}]`,
      undefined,
      ['/close_date'],
    ],
    ['FIELD_CUSTOM_VALIDATION_EXCEPTION', 'Not on Sundays', [], undefined],
  ])('%s "%s" points at our fields', (code, message, fields, pointers) => {
    const outcome = refused(code, message, fields);
    expect(outcome).toMatchObject({ kind: 'permanent', message });
    expect(outcome.kind === 'permanent' && outcome.fields?.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it('reports several errors of one answer together', () => {
    const body = [
      { message: 'one', errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', fields: ['Amount'] },
      { message: 'two', errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', fields: [] },
    ];
    expect(salesforce.classify(anAnswer({ status: 400, body }), CREATE)).toMatchObject({
      message: 'one; two',
      fields: [{ pointer: '/amount', message: 'one' }],
    });
  });

  it('does not repeat a long value', () => {
    const outcome = refused(
      'STRING_TOO_LONG',
      'Name: data value too large: secret (max length=9)\nstory (max length=120)',
      ['Name'],
    );
    expect(JSON.stringify({ ...outcome, rawResponse: undefined })).not.toMatch(/secret|story/);
    expect(outcome).toMatchObject({ message: 'Name: data value too large: [left out] (max length=120)' });
  });

  it('reads a bare object and an OAuth error too', () => {
    const bare = { message: 'gone', errorCode: 'ENTITY_IS_DELETED' };
    expect(salesforce.classify(anAnswer({ status: 404, body: bare }), CREATE)).toMatchObject({
      row: 'deleted_target',
    });
    const oauth = { error: 'invalid_grant', error_description: 'expired' };
    expect(salesforce.classify(anAnswer({ status: 400, body: oauth }), CREATE)).toMatchObject({
      message: 'expired',
    });
  });
});

describe('whatever comes', () => {
  it('is never taken for written without a success and an id, nor for definite without an error code', () => {
    const status = fc.integer({ min: 200, max: 599 });
    fc.assert(
      fc.property(status, fc.oneof(fc.string(), fc.jsonValue(), fc.constant(undefined)), (code, body) => {
        const outcome = salesforce.classify(anAnswer({ status: code, body }), CREATE);
        expect(outcome.kind).not.toBe('written');
        if (code < 300 || code >= 500) expect(outcome.kind).toBe('ambiguous');
      }),
    );
  });
});

describe('limits in headers', () => {
  it.each([
    ['api-usage=25/5000', { daily: { used: 25, max: 5000 } }],
    ['api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)', { daily: { used: 25, max: 5000 } }],
    ['per-app-api-usage=17/250(appName=sample-app); api-usage=25/5000', { daily: { used: 25, max: 5000 } }],
    ['per-app-api-usage=17/250(appName=sample-app)', {}],
    ['api-usage=x/5000', {}],
    ['', {}],
  ])('%s', (value, expected) => {
    expect(salesforce.readLimits({ 'sforce-limit-info': value }, 0)).toEqual(expected);
  });

  it('are optional', () => expect(salesforce.readLimits({}, 0)).toEqual({}));
});
