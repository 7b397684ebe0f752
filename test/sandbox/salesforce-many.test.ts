import { describe, expect, it } from 'vitest';
import { anOpportunity, contactIds, useSalesforce } from './salesforce-harness.ts';

const salesforce = useSalesforce();
const base = '/services/data/v66.0/sobjects';
const row = (overrides: Record<string, unknown> = {}) => ({
  attributes: { type: 'Opportunity' },
  ...anOpportunity(overrides),
});
const part = (referenceId: string, url: string, body: unknown) => ({
  method: 'POST',
  url,
  referenceId,
  body,
});

describe('collections', () => {
  it('takes everything back under all-or-none and blames only the culprit', async () => {
    const reply = await salesforce.api('POST', '/composite/sobjects', {
      allOrNone: true,
      records: [row(), row({ Name: null })],
    });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject([
      { success: false, errors: [{ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK', fields: [] }] },
      { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING', fields: ['Name'] }] },
    ]);
    expect(await salesforce.records()).toEqual([]);
  });

  it('fails both rows that give the same key, and a row without a type', async () => {
    const reply = await salesforce.api('PATCH', '/composite/sobjects/Opportunity/Dealwright_Id__c', {
      records: [
        row({ Dealwright_Id__c: 'a' }),
        row({ Dealwright_Id__c: 'b' }),
        row({ Dealwright_Id__c: 'a' }),
        anOpportunity({ Dealwright_Id__c: 'c' }),
      ],
    });
    const twice = {
      success: false,
      errors: [
        {
          statusCode: 'DUPLICATE_VALUE',
          message: 'Duplicate external id specified: a',
          fields: ['Dealwright_Id__c'],
        },
      ],
      created: false,
    };
    expect(reply.body).toMatchObject([
      twice,
      { success: true, created: true },
      twice,
      { errors: [{ statusCode: 'JSON_PARSER_ERROR' }] },
    ]);
    expect(await salesforce.records()).toHaveLength(1);
  });

  it('refuses an empty list and more than 200 records as a whole', async () => {
    const empty = await salesforce.api('POST', '/composite/sobjects', { records: [] });
    expect(empty).toMatchObject({ status: 400, body: [{ message: 'At least 1 record is required' }] });
    const many = await salesforce.api('POST', '/composite/sobjects', {
      records: Array.from({ length: 201 }, () => row()),
    });
    expect(many).toMatchObject({ status: 400, body: [{ errorCode: 'EXCEEDED_ID_LIMIT' }] });
  });
});

describe('composite', () => {
  it('halts the innocent before the culprit and writes nothing', async () => {
    const reply = await salesforce.api('POST', '/composite', {
      allOrNone: true,
      compositeRequest: [
        part('opp', `${base}/Opportunity`, anOpportunity()),
        part('role', `${base}/OpportunityContactRole`, { OpportunityId: '@{opp.id}', ContactId: 'x' }),
        part('late', `${base}/Opportunity`, anOpportunity()),
      ],
    });
    const halted = { httpStatusCode: 400, body: [{ errorCode: 'PROCESSING_HALTED' }] };
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      compositeResponse: [halted, { httpStatusCode: 400, body: [{ errorCode: 'MALFORMED_ID' }] }, halted],
    });
    expect(await salesforce.records()).toEqual([]);
  });

  it('keeps what succeeded without all-or-none, and misses a reference in the wrong case', async () => {
    const reply = await salesforce.api('POST', '/composite', {
      compositeRequest: [
        part('opp', `${base}/Opportunity`, anOpportunity()),
        part('role', `${base}/OpportunityContactRole`, {
          OpportunityId: '@{opp.Id}',
          ContactId: contactIds[0],
        }),
      ],
    });
    expect(reply.body).toMatchObject({
      compositeResponse: [
        { httpStatusCode: 201 },
        { body: [{ message: expect.stringContaining('opp.Id') }] },
      ],
    });
    expect(await salesforce.records()).toHaveLength(1);
  });

  it.each([
    [
      'a forbidden header',
      [{ ...part('a', `${base}/Opportunity`, {}), httpHeaders: { Authorization: 'x' } }],
    ],
    ['an illegal reference', [part('a-b', `${base}/Opportunity`, {})]],
    ['too many parts', Array.from({ length: 26 }, (_, n) => part(`r${n}`, `${base}/Opportunity`, {}))],
  ])('refuses %s as a whole', async (_, compositeRequest) => {
    expect((await salesforce.api('POST', '/composite', { compositeRequest })).status).toBe(400);
  });

  it('counts as one call', async () => {
    await salesforce.configure({ daily_limit: 1 });
    const compositeRequest = ['a', 'b', 'c'].map((name) =>
      part(name, `${base}/Opportunity`, anOpportunity()),
    );
    expect((await salesforce.api('POST', '/composite', { compositeRequest })).status).toBe(200);
    expect((await salesforce.api('GET', '/limits')).status).toBe(403);
  });

  it('keeps the graphs apart', async () => {
    const graph = (graphId: string, contactId: string) => ({
      graphId,
      compositeRequest: [
        part('opp', `${base}/Opportunity`, anOpportunity({ Name: graphId })),
        part('role', `${base}/OpportunityContactRole`, { OpportunityId: '@{opp.id}', ContactId: contactId }),
      ],
    });
    const reply = await salesforce.api('POST', '/composite/graph', {
      graphs: [graph('bad', 'x'), graph('good', contactIds[0])],
    });
    expect(reply.body).toMatchObject({
      graphs: [
        {
          graphId: 'bad',
          isSuccessful: false,
          graphResponse: { compositeResponse: [{ body: [{ errorCode: 'PROCESSING_HALTED' }] }, {}] },
        },
        { graphId: 'good', isSuccessful: true },
      ],
    });
    expect(await salesforce.records()).toMatchObject([{ Name: 'good' }]);
  });

  it('inserts a tree, or lists only the offenders', async () => {
    const tree = (contactId: string) => ({
      records: [
        {
          attributes: { type: 'Opportunity', referenceId: 'o1' },
          ...anOpportunity(),
          OpportunityContactRoles: {
            records: [
              { attributes: { type: 'OpportunityContactRole', referenceId: 'r1' }, ContactId: contactId },
            ],
          },
        },
      ],
    });
    expect(await salesforce.api('POST', '/composite/tree/Opportunity', tree('x'))).toMatchObject({
      status: 400,
      body: { hasErrors: true, results: [{ referenceId: 'r1', errors: [{ statusCode: 'MALFORMED_ID' }] }] },
    });
    expect(await salesforce.records()).toEqual([]);
    expect(await salesforce.api('POST', '/composite/tree/Opportunity', tree(contactIds[0]))).toMatchObject({
      status: 201,
      body: { hasErrors: false, results: [{ referenceId: 'o1' }, { referenceId: 'r1' }] },
    });
  });

  it('allows two roles for the same pair and one primary', async () => {
    const created = await salesforce.api('POST', '/composite', {
      compositeRequest: [
        part('opp', `${base}/Opportunity`, anOpportunity({ ContactId: contactIds[0] })),
        ...['a', 'b'].map((name) =>
          part(name, `${base}/OpportunityContactRole`, {
            OpportunityId: '@{opp.id}',
            ContactId: contactIds[1],
            IsPrimary: name === 'b',
          }),
        ),
      ],
    });
    expect(created.status).toBe(200);
    const roles = await salesforce.query('SELECT ContactId, IsPrimary FROM OpportunityContactRole');
    expect(roles.map((role) => role.IsPrimary)).toEqual([false, false, true]);
    expect(await salesforce.records()).toMatchObject([{ ContactId: contactIds[1] }]);
  });
});

describe('Bulk 2.0', () => {
  const open = async (overrides: Record<string, unknown> = {}) => {
    const reply = await salesforce.api('POST', '/jobs/ingest', {
      object: 'Opportunity',
      operation: 'insert',
      ...overrides,
    });
    return { reply, id: String(Reflect.get(Object(reply.body), 'id')) };
  };
  const upload = (id: string, csv: string) =>
    salesforce.api('PUT', `/jobs/ingest/${id}/batches`, csv, { 'content-type': 'text/csv' });
  const finish = async (id: string) => {
    await salesforce.api('PATCH', `/jobs/ingest/${id}`, { state: 'UploadComplete' });
    return expect
      .poll(async () => (await salesforce.api('GET', `/jobs/ingest/${id}`)).body, { timeout: 3_000 })
      .toMatchObject({ state: expect.stringMatching(/JobComplete|Failed/) });
  };

  it('opens with a content URL that has no leading slash and goes through its states', async () => {
    await salesforce.configure({ bulk_delay_ms: 200 });
    const { reply, id } = await open();
    expect(reply).toMatchObject({
      status: 200,
      body: { state: 'Open', apiVersion: 66, contentUrl: `services/data/v66.0/jobs/ingest/${id}/batches` },
    });
    expect((await upload(id, 'Name,StageName,CloseDate\nA,Prospecting,2026-01-01\n')).status).toBe(201);
    const closed = await salesforce.api('PATCH', `/jobs/ingest/${id}`, { state: 'UploadComplete' });
    expect(closed.body).toMatchObject({ state: 'UploadComplete' });
    const states = new Set<unknown>();
    await expect
      .poll(
        async () => {
          const { body } = await salesforce.api('GET', `/jobs/ingest/${id}`);
          states.add(Reflect.get(Object(body), 'state'));
          return body;
        },
        { interval: 10, timeout: 3_000 },
      )
      .toMatchObject({ state: 'JobComplete', numberRecordsProcessed: 1, numberRecordsFailed: 0 });
    expect(states).toContain('InProgress');
  });

  it('fails the whole job for an unknown column and leaves its rows unprocessed', async () => {
    await salesforce.configure({ bulk_delay_ms: 0 });
    const { id } = await open();
    await upload(id, 'Name,Nope\nA,B\n');
    await finish(id);
    expect((await salesforce.api('GET', `/jobs/ingest/${id}`)).body).toMatchObject({
      state: 'Failed',
      errorMessage: 'InvalidBatch : Field name not found : Nope',
    });
    const rows = await salesforce.api('GET', `/jobs/ingest/${id}/unprocessedrecords`);
    expect(rows.body).toBe('"Name","Nope"\n"A","B"\n');
  });

  it('upserts and says what was created', async () => {
    await salesforce.configure({ bulk_delay_ms: 0 });
    await salesforce.api('POST', '/sobjects/Opportunity', anOpportunity({ Dealwright_Id__c: 'old' }));
    const { id } = await open({ operation: 'upsert', externalIdFieldName: 'Dealwright_Id__c' });
    await upload(
      id,
      'Dealwright_Id__c,Name,StageName,CloseDate,Account.External_Key__c\n' +
        'old,Changed,Prospecting,2026-01-01,ACC-1\nnew,New,Prospecting,2026-01-01,\nbad,Bad,Prospecting,01/31/2026,\n',
    );
    await finish(id);
    const done = await salesforce.api('GET', `/jobs/ingest/${id}/successfulResults`);
    expect(done.body).toMatch(
      /"sf__Id","sf__Created","Dealwright_Id__c".*\n"006\w+","false","old".*\n"006\w+","true","new"/,
    );
    const failed = await salesforce.api('GET', `/jobs/ingest/${id}/failedResults`);
    expect(failed.body).toContain(
      '"INVALID_TYPE_ON_FIELD_IN_RECORD:Close Date: value not of required type: 01/31/2026:CloseDate --"',
    );
  });

  it('leaves an aborted job unprocessed and refuses a second upload', async () => {
    const { id } = await open();
    await upload(id, 'Name,StageName,CloseDate\nA,Prospecting,2026-01-01\n');
    expect((await upload(id, 'x')).status).toBe(400);
    const aborted = await salesforce.api('PATCH', `/jobs/ingest/${id}`, { state: 'Aborted' });
    expect(aborted.body).toMatchObject({ state: 'Aborted' });
    expect((await salesforce.api('DELETE', `/jobs/ingest/${id}`)).status).toBe(204);
  });
});
