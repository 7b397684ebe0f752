import { describe, expect, it } from 'vitest';
import { toLongId } from '../../sandbox/salesforce/ids.ts';
import {
  accountId,
  anOpportunity,
  contactIds,
  idOf,
  inactiveUserId,
  useSalesforce,
} from './salesforce-harness.ts';

const salesforce = useSalesforce();
const create = (overrides: Record<string, unknown> = {}) =>
  salesforce.api('POST', '/sobjects/Opportunity', anOpportunity(overrides));

describe('create', () => {
  it('answers 201 with a server-relative location and a lower-case id', async () => {
    const reply = await create();
    const id = idOf(reply);
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({ id, success: true, errors: [] });
    expect(reply.headers.get('location')).toBe(`/services/data/v66.0/sobjects/Opportunity/${id}`);
    expect(reply.headers.get('sforce-limit-info')).toMatch(/^api-usage=\d+\/5000000$/);
    expect(reply.headers.get('x-sfdc-request-id')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('derives stage columns, keeps doubles with a point and datetimes without a colon', async () => {
    const id = idOf(
      await create({ Amount: 15000, StageName: 'Closed Won', Kickoff__c: '2026-05-01T12:00:00+02:00' }),
    );
    const response = await fetch(
      `${salesforce.instanceUrl()}/services/data/v66.0/sobjects/Opportunity/${id}`,
      {
        headers: { authorization: 'Bearer demo-salesforce-access' },
      },
    );
    const text = await response.text();
    expect(text).toContain('"Amount":15000.0');
    expect(text).toContain('"Kickoff__c":"2026-05-01T10:00:00.000+0000"');
    expect(JSON.parse(text)).toMatchObject({
      IsClosed: true,
      IsWon: true,
      Probability: 100,
      Fiscal: '2026 4',
    });
  });

  const refusals: [what: string, overrides: Record<string, unknown>, errors: Record<string, unknown>[]][] = [
    [
      'all missing columns in one error',
      { Name: undefined, CloseDate: null },
      [
        {
          message: 'Required fields are missing: [Name, CloseDate]',
          errorCode: 'REQUIRED_FIELD_MISSING',
          fields: ['Name', 'CloseDate'],
        },
      ],
    ],
    [
      'an unknown column without fields',
      { Nope__c: 1 },
      [{ message: "No such column 'Nope__c' on sobject of type Opportunity", errorCode: 'INVALID_FIELD' }],
    ],
    [
      'a datetime for a date by the parser',
      { CloseDate: '2026-12-31T00:00:00Z' },
      [
        {
          message:
            'Cannot deserialize instance of date from VALUE_STRING value 2026-12-31T00:00:00Z or request may be ' +
            'missing a required field at [line:1, column:64]',
          errorCode: 'JSON_PARSER_ERROR',
        },
      ],
    ],
    [
      'a name that is too long, with the whole value',
      { Name: 'x'.repeat(121) },
      [
        {
          message: `Name: data value too large: ${'x'.repeat(121)} (max length=120)`,
          errorCode: 'STRING_TOO_LONG',
          fields: ['Name'],
        },
      ],
    ],
    [
      'an id of another object',
      { AccountId: contactIds[0] },
      [
        {
          message: `Account ID: id value of incorrect type: ${contactIds[0]}`,
          errorCode: 'MALFORMED_ID',
          fields: ['AccountId'],
        },
      ],
    ],
    [
      'an account that is not there as one the caller may not see',
      { AccountId: toLongId('001Dw0000099999') },
      [
        {
          message: 'insufficient access rights on cross-reference id: 001Dw0000099999',
          errorCode: 'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
          fields: [],
        },
      ],
    ],
    [
      'an inactive owner',
      { OwnerId: inactiveUserId },
      [
        {
          message: `operation performed with inactive user [${inactiveUserId.slice(0, 15)}] as owner of opportunity`,
          errorCode: 'INACTIVE_OWNER_OR_USER',
          fields: ['OwnerId'],
        },
      ],
    ],
    [
      'columns that nobody may write',
      { IsWon: true, CreatedDate: '2024-01-01T00:00:00Z' },
      [{ errorCode: 'INVALID_FIELD_FOR_INSERT_UPDATE', fields: ['IsWon', 'CreatedDate'] }],
    ],
    [
      'a value outside of a restricted picklist',
      { Tier__c: 'Tin' },
      [
        {
          message: 'Tier: bad value for restricted picklist field: Tin',
          errorCode: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
          fields: ['Tier__c'],
        },
      ],
    ],
    ['a currency in an org with one', { CurrencyIsoCode: 'EUR' }, [{ errorCode: 'INVALID_FIELD' }]],
    [
      'a number out of range',
      { Amount: 1e17 },
      [{ errorCode: 'NUMBER_OUTSIDE_VALID_RANGE', fields: ['Amount'] }],
    ],
    ['an id in the body', { Id: accountId }, [{ errorCode: 'INVALID_FIELD' }]],
    [
      'a parent whose external id is unknown',
      { Account: { External_Key__c: 'ACC-99' } },
      [
        {
          message: 'Foreign key external ID: ACC-99 not found for field External_Key__c in entity Account',
          errorCode: 'INVALID_FIELD',
        },
      ],
    ],
  ];
  it.each(refusals)('refuses %s', async (_, overrides, errors) => {
    const reply = await create(overrides);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject(errors);
    expect(Object.keys(Object(Reflect.get(Object(reply.body), 0))).includes('fields')).toBe(
      'fields' in (errors[0] ?? {}),
    );
    expect(await salesforce.records()).toHaveLength(0);
  });

  it('accepts an unknown stage, unless the picklist is restricted', async () => {
    expect((await create({ StageName: 'Made Up' })).status).toBe(201);
    const described = await salesforce.api('GET', '/sobjects/Opportunity/describe');
    expect(JSON.stringify(described.body)).toContain('{"value":"Made Up","label":"Made Up","active":false');
    await salesforce.configure({ restricted_stage: true });
    expect((await create({ StageName: 'Made Up' })).body).toMatchObject([
      { message: 'Stage: bad value for restricted picklist field: Made Up' },
    ]);
  });

  it('writes what switches allow: currency and the creation date', async () => {
    await salesforce.configure({ multi_currency: true, audit_fields: true });
    const reply = await create({ CurrencyIsoCode: 'EUR', CreatedDate: '2020-02-02T02:02:02Z' });
    expect(reply.status).toBe(201);
    expect(await salesforce.records()).toMatchObject([
      { CurrencyIsoCode: 'EUR', CreatedDate: '2020-02-02T02:02:02.000+0000' },
    ]);
    expect((await create({ CurrencyIsoCode: 'JPY' })).status).toBe(400);
  });

  it('makes the primary role of ContactId, and takes it at create only', async () => {
    const id = idOf(await create({ ContactId: contactIds[0], AccountId: accountId.slice(0, 15) }));
    const roles = '(SELECT ContactId, IsPrimary FROM OpportunityContactRoles)';
    const [row] = await salesforce.query(`SELECT Id, ContactId, Account.Name, ${roles} FROM Opportunity`);
    expect(row).toMatchObject({
      Id: id,
      ContactId: contactIds[0],
      Account: { Name: 'Acme Corporation' },
      OpportunityContactRoles: { totalSize: 1, records: [{ ContactId: contactIds[0], IsPrimary: true }] },
    });
    const reply = await salesforce.api('PATCH', `/sobjects/Opportunity/${id}`, { ContactId: contactIds[1] });
    expect(reply.body).toMatchObject([
      { errorCode: 'INVALID_FIELD_FOR_INSERT_UPDATE', fields: ['ContactId'] },
    ]);
  });

  it('reports several validation rules in one answer and a duplicate under its misspelt key', async () => {
    await salesforce.configure({
      validation_rule: [
        { message: 'Too small', field: 'Amount', below: 10, error_field: 'Amount' },
        { message: 'Ask your admin', field: 'NextStep', empty: true },
      ],
    });
    expect((await create({ Amount: 1 })).body).toEqual([
      { message: 'Too small', errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', fields: ['Amount'] },
      { message: 'Ask your admin', errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', fields: [] },
    ]);
    await salesforce.configure({ validation_rule: false, duplicate_rule: true });
    const id = idOf(await create());
    const twin = await create();
    expect(twin.status).toBe(400);
    expect(twin.body).toMatchObject([
      {
        errorCode: 'DUPLICATES_DETECTED',
        duplicateResut: { allowSave: true, matchResults: [{ matchRecords: [{ record: { Id: id } }] }] },
      },
    ]);
    const headers = { 'sforce-duplicate-rule-header': 'allowSave=true' };
    expect((await salesforce.api('POST', '/sobjects/Opportunity', anOpportunity(), headers)).status).toBe(
      201,
    );
  });
});

describe('upsert by external id', () => {
  const upsert = (field: string, key: string, body = anOpportunity(), query = '') =>
    salesforce.api('PATCH', `/sobjects/Opportunity/${field}/${encodeURIComponent(key)}${query}`, body);

  it('says whether it created', async () => {
    expect(await upsert('Dealwright_Id__c', 'k')).toMatchObject({ status: 201, body: { created: true } });
    expect(await upsert('Dealwright_Id__c', 'K')).toMatchObject({ status: 200, body: { created: false } });
    expect((await upsert('Dealwright_Id__c', 'other', anOpportunity(), '?updateOnly=true')).status).toBe(404);
  });

  it('fails the second of two that are in flight together', async () => {
    await salesforce.configure({ latency_ms: 50 });
    const replies = await Promise.all([
      upsert('Dealwright_Id__c', 'race'),
      upsert('Dealwright_Id__c', 'race'),
    ]);
    expect(replies.map((reply) => reply.status).sort()).toEqual([201, 400]);
    const loser = replies.find((reply) => reply.status === 400);
    const [record] = await salesforce.query('SELECT Id FROM Opportunity');
    const shortId = String(record?.Id).slice(0, 15);
    expect(loser?.body).toEqual([
      {
        message: `duplicate value found: Dealwright_Id__c duplicates value on record with id: ${shortId}`,
        errorCode: 'DUPLICATE_VALUE',
        fields: [],
      },
    ]);
    expect((await upsert('Dealwright_Id__c', 'race')).status).toBe(200);
  });

  it('answers 300 for a non-unique field that matches twice', async () => {
    await create({ Legacy_Id__c: 'L' });
    await create({ Legacy_Id__c: 'L' });
    const reply = await upsert('Legacy_Id__c', 'L');
    expect(reply.status).toBe(300);
    expect(reply.body).toEqual([expect.stringContaining('/sobjects/Opportunity/006'), expect.any(String)]);
  });

  it('tells a missing field from a missing record by the message only', async () => {
    expect((await upsert('Region__c', 'x')).body).toEqual([
      {
        message: 'Provided external ID field does not exist or is not accessible: Region__c',
        errorCode: 'NOT_FOUND',
      },
    ]);
    const reply = await salesforce.api('GET', '/sobjects/Opportunity/Dealwright_Id__c/none?fields=Id');
    expect(reply).toMatchObject({
      status: 404,
      body: [{ message: 'The requested resource does not exist', errorCode: 'NOT_FOUND' }],
    });
    expect((await upsert('Dealwright_Id__c', 'config.inc')).status).toBe(404);
  });
});

describe('reads', () => {
  it('hides deleted records from query, not from queryAll', async () => {
    const id = idOf(await create());
    expect((await salesforce.api('DELETE', `/sobjects/Opportunity/${id}`)).status).toBe(204);
    expect(await salesforce.query('SELECT Id FROM Opportunity')).toEqual([]);
    const all = await salesforce.api('GET', '/queryAll?q=SELECT+Id,IsDeleted+FROM+Opportunity');
    expect(all.body).toMatchObject({ records: [{ Id: id, IsDeleted: true }] });
    const read = await salesforce.api('GET', `/sobjects/Opportunity/${id}`);
    expect(read).toMatchObject({ status: 404, body: [{ errorCode: 'ENTITY_IS_DELETED', fields: [] }] });
  });

  it('filters, orders and counts', async () => {
    for (const [Name, Amount] of [
      ['One', 1],
      ['Two', 2],
      ["Three's", 3],
    ] as const)
      await create({ Name, Amount });
    const names = async (soql: string) => (await salesforce.query(soql)).map((row) => row.Name);
    expect(await names("SELECT Name FROM Opportunity WHERE Name = 'three\\'s'")).toEqual(["Three's"]);
    expect(await names('SELECT Name FROM Opportunity WHERE Amount >= 2 ORDER BY Amount DESC')).toEqual([
      "Three's",
      'Two',
    ]);
    expect(
      await names(
        "SELECT Name FROM Opportunity WHERE (Name LIKE 'T%' AND Amount < 3) OR Amount = 1 ORDER BY Name LIMIT 5",
      ),
    ).toEqual(['One', 'Two']);
    expect(
      await names(
        "SELECT Name FROM Opportunity WHERE CreatedDate >= 2020-01-01T00:00:00Z AND CloseDate = 2026-12-31 AND AccountId = null AND Name IN ('one','x')",
      ),
    ).toEqual(['One']);
    const count = await salesforce.api('GET', '/query?q=SELECT+COUNT()+FROM+Opportunity');
    expect(count.body).toEqual({ totalSize: 3, done: true, records: [] });
    expect(await salesforce.query('SELECT ApiName FROM OpportunityStage WHERE IsWon = true')).toMatchObject([
      { ApiName: 'Closed Won' },
    ]);
  });

  it.each([
    ['SELECT Nope FROM Opportunity', 'INVALID_FIELD'],
    ["SELECT Id FROM Opportunity WHERE Description = 'x'", 'INVALID_FIELD'],
    ["SELECT Id FROM Opportunity WHERE CloseDate = '2026-12-31'", 'INVALID_FIELD'],
    ['SELECT Id FROM TopicAssignment', 'INVALID_TYPE'],
    ['SELECT Id FRM Opportunity', 'MALFORMED_QUERY'],
  ])('refuses %s with %s', async (soql, errorCode) => {
    const reply = await salesforce.api('GET', `/query?q=${encodeURIComponent(soql)}`);
    expect(reply).toMatchObject({ status: 400, body: [{ errorCode }] });
  });
});

describe('transport', () => {
  it('lists versions without a session, refuses retired ones and wrong media', async () => {
    const versions = await salesforce.send('GET', '/salesforce/services/data/');
    expect(versions.headers.get('sforce-limit-info')).toBeNull();
    expect(Reflect.get(Object(versions.body), 0)).toEqual({
      label: "Summer '14",
      url: '/services/data/v31.0',
      version: '31.0',
    });
    const headers = { authorization: 'Bearer demo-salesforce-access' };
    expect((await salesforce.send('GET', '/salesforce/services/data/v24.0/limits', { headers })).status).toBe(
      410,
    );
    const wrong = { 'content-type': 'text/plain' };
    expect((await salesforce.api('POST', '/sobjects/Opportunity', 'x', wrong)).status).toBe(415);
    expect((await salesforce.api('POST', '/sobjects/Opportunity', '{"a":')).body).toMatchObject([
      { errorCode: 'JSON_PARSER_ERROR' },
    ]);
    const unsupported = await salesforce.api('PUT', '/sobjects/Opportunity', {});
    expect(unsupported.status).toBe(405);
    expect(unsupported.headers.get('sforce-limit-info')).toMatch(/^api-usage=/);
  });

  it('refuses calls beyond the daily allocation', async () => {
    await salesforce.configure({ daily_limit: 1 });
    expect((await create()).status).toBe(201);
    const reply = await create();
    expect(reply.status).toBe(403);
    expect(reply.headers.get('retry-after')).toBeNull();
    expect(reply.body).toEqual([
      { message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' },
    ]);
  });
});
