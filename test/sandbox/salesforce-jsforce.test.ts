import { Connection } from 'jsforce';
import { describe, expect, it } from 'vitest';
import { accountId, anOpportunity, contactIds, useSalesforce } from './salesforce-harness.ts';

const salesforce = useSalesforce();

function connect(options: Record<string, unknown> = {}) {
  return new Connection({
    instanceUrl: salesforce.instanceUrl(),
    accessToken: 'demo-salesforce-access',
    version: '66.0',
    ...options,
  });
}

function connectWithRefresh() {
  return connect({
    oauth2: {
      loginUrl: salesforce.instanceUrl(),
      clientId: 'demo-salesforce-client',
      clientSecret: 'demo-salesforce-secret',
      redirectUri: 'http://127.0.0.1/callback',
    },
    refreshToken: 'demo-salesforce-refresh',
  });
}

describe('the unmodified jsforce against the Salesforce sandbox', () => {
  it('creates one record and reads it back', async () => {
    const connection = connect();
    const result = await connection.sobject('Opportunity').create(anOpportunity({ Amount: 15000 }));
    expect(result).toEqual({ id: expect.stringMatching(/^006\w{15}$/), success: true, errors: [] });
    const record = await connection.sobject('Opportunity').retrieve(String(result.id));
    expect(record).toMatchObject({ Name: 'Annual license', Amount: 15000, Probability: 10, IsClosed: false });
  });

  it('creates many in order and reports only the bad one', async () => {
    const results = await connect()
      .sobject('Opportunity')
      .create([anOpportunity(), { Name: 'No date' }, anOpportunity()]);
    expect(results.map((result) => result.success)).toEqual([true, false, true]);
    expect(results[1]).toEqual({
      success: false,
      errors: [
        {
          statusCode: 'REQUIRED_FIELD_MISSING',
          message: 'Required fields are missing: [StageName, CloseDate]',
          fields: ['StageName', 'CloseDate'],
        },
      ],
    });
  });

  it('upserts one by external id: created, then updated', async () => {
    const deals = connect().sobject('Opportunity');
    const first = await deals.upsert(anOpportunity({ Dealwright_Id__c: 'a1' }), 'Dealwright_Id__c');
    const second = await deals.upsert(anOpportunity({ Dealwright_Id__c: 'a1' }), 'Dealwright_Id__c');
    expect(first).toMatchObject({ success: true, created: true });
    expect(second).toMatchObject({ success: true, created: false, id: first.id });
  });

  it('upserts many by external id', async () => {
    const records = ['a', 'b', 'c'].map((key) => anOpportunity({ Dealwright_Id__c: key }));
    const deals = connect().sobject('Opportunity');
    const first = await deals.upsert(records, 'Dealwright_Id__c');
    const second = await deals.upsert(records, 'Dealwright_Id__c');
    expect(first.map((result) => Reflect.get(result, 'created'))).toEqual([true, true, true]);
    expect(second.map((result) => Reflect.get(result, 'created'))).toEqual([false, false, false]);
  });

  it('pages through a query, by itself and by queryMore', async () => {
    const connection = connect({ maxRequest: 20 });
    const records = Array.from({ length: 450 }, (_, index) => anOpportunity({ Name: `Deal ${index}` }));
    await connection.sobject('Opportunity').create(records, { allowRecursive: true });
    const soql = 'SELECT Id, Name, Owner.Name FROM Opportunity ORDER BY CreatedDate';
    const headers = { 'Sforce-Query-Options': 'batchSize=200' };
    const all = await connection.query(soql, { autoFetch: true, maxFetch: 1000, headers });
    expect(all.records).toHaveLength(450);
    const page = await connection.query(soql, { headers });
    expect(page).toMatchObject({ totalSize: 450, done: false });
    const next = await connection.queryMore(String(page.nextRecordsUrl));
    expect(next.records).toHaveLength(200);
    expect(next.records[0]).toMatchObject({ Owner: { Name: 'Integration User' } });
  });

  it('describes and reads limits', async () => {
    const connection = connect();
    const opportunity = await connection.describe('Opportunity');
    const stage = opportunity.fields.find((field) => field.name === 'StageName');
    expect(stage?.picklistValues?.map((entry) => entry.value)).toContain('Id. Decision Makers');
    expect(await connection.describeGlobal()).toMatchObject({ maxBatchSize: 200 });
    expect(await connection.limits()).toMatchObject({ DailyApiRequests: { Max: 5_000_000 } });
    expect(connection.limitInfo).toMatchObject({ apiUsage: { limit: 5_000_000 } });
  });

  it('runs a composite request with references', async () => {
    const base = '/services/data/v66.0/sobjects';
    const role = (referenceId: string, contactId: string) => ({
      method: 'POST',
      url: `${base}/OpportunityContactRole`,
      referenceId,
      body: { OpportunityId: '@{opp.id}', ContactId: contactId },
    });
    const answer = await connect().request({
      method: 'POST',
      url: '/composite',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        allOrNone: true,
        compositeRequest: [
          {
            method: 'POST',
            url: `${base}/Opportunity`,
            referenceId: 'opp',
            body: anOpportunity({ AccountId: accountId }),
          },
          role('first', contactIds[0]),
          role('second', contactIds[1]),
        ],
      }),
    });
    expect(answer).toMatchObject({
      compositeResponse: [{ httpStatusCode: 201 }, { httpStatusCode: 201 }, { httpStatusCode: 201 }],
    });
  });

  it('ingests with Bulk 2.0 and gets each kind of result', async () => {
    const connection = connect();
    connection.bulk2.pollInterval = 20;
    const results = await connection.bulk2.loadAndWaitForResults({
      object: 'Opportunity',
      operation: 'insert',
      input: [
        { Name: 'Good, "quoted"', StageName: 'Prospecting', CloseDate: '2026-12-31' },
        { Name: 'Bad', StageName: '', CloseDate: '2026-12-31' },
      ],
    });
    expect(results.successfulResults).toMatchObject([
      { sf__Id: expect.stringMatching(/^006/), sf__Created: 'true', Name: 'Good, "quoted"' },
    ]);
    expect(results.failedResults).toMatchObject([
      {
        sf__Id: '',
        sf__Error: 'REQUIRED_FIELD_MISSING:Required fields are missing: [StageName]:StageName --',
      },
    ]);
    expect(results.unprocessedRecords).toEqual([]);
  });

  it('upserts 450 rows with Bulk 2.0: known ones are updated, a bad one fails alone', async () => {
    const connection = connect();
    connection.bulk2.pollInterval = 20;
    await connection.sobject('Opportunity').create(anOpportunity({ Dealwright_Id__c: 'k0' }));
    const input = Array.from({ length: 450 }, (_, index) => ({
      Dealwright_Id__c: `k${index}`,
      Name: `Deal ${index}`,
      StageName: 'Prospecting',
      CloseDate: index === 7 ? '31.12.2026' : '2026-12-31',
    }));
    const results = await connection.bulk2.loadAndWaitForResults({
      object: 'Opportunity',
      operation: 'upsert',
      externalIdFieldName: 'Dealwright_Id__c',
      lineEnding: 'LF',
      input,
    });
    expect(results.successfulResults.filter((result) => result.sf__Created === 'false')).toMatchObject([
      { Dealwright_Id__c: 'k0', Name: 'Deal 0' },
    ]);
    expect(results.failedResults).toMatchObject([{ Dealwright_Id__c: 'k7' }]);
    expect(await salesforce.records()).toHaveLength(449);
  });

  it('refreshes an expired session and repeats the call', async () => {
    const connection = connectWithRefresh();
    await salesforce.fault({ kind: 'expire_token', times: 1 });
    const result = await connection.sobject('Opportunity').create(anOpportunity());
    expect(result.success).toBe(true);
    expect(connection.accessToken).not.toBe('demo-salesforce-access');
    expect(await salesforce.records()).toHaveLength(1);
  });

  it('raises the errors by their codes', async () => {
    const deals = connect().sobject('Opportunity');
    await expect(deals.create(anOpportunity({ Nope__c: 1 }))).rejects.toMatchObject({
      errorCode: 'INVALID_FIELD',
    });
    await expect(deals.retrieve('006000000000001AAA')).rejects.toMatchObject({ errorCode: 'NOT_FOUND' });
  });
});
