import { describe, expect, it } from 'vitest';
import { anOpportunity, useSalesforce } from './salesforce-harness.ts';

const salesforce = useSalesforce();
const upsertPath = '/composite/sobjects/Opportunity/Dealwright_Id__c';
const row = (key: string, overrides: Record<string, unknown> = {}) => ({
  attributes: { type: 'Opportunity' },
  ...anOpportunity({ Dealwright_Id__c: key, ...overrides }),
});
const rows = (count: number) => Array.from({ length: count }, (_, index) => row(`k${index}`));
const upsert = (records: unknown[], path = upsertPath) => salesforce.api('PATCH', path, { records });
const resultsOf = (body: unknown): Record<string, unknown>[] => (Array.isArray(body) ? body : []);
const errorOf = (result: Record<string, unknown>): unknown =>
  Reflect.get(Object(resultsOf(result.errors)[0]), 'statusCode');

describe('a collections upsert', () => {
  it('creates 200 rows in one metered call, and finds them again the second time', async () => {
    await salesforce.configure({ stale_limit_info: false });
    const first = await upsert(rows(200));
    const second = await upsert(rows(200));
    expect(resultsOf(first.body).every(({ created }) => created === true)).toBe(true);
    expect(resultsOf(second.body).map(({ id, created }) => ({ id, created }))).toEqual(
      resultsOf(first.body).map(({ id }) => ({ id, created: false })),
    );
    expect(second.headers.get('sforce-limit-info')).toBe('api-usage=2/5000000');
    const count = await salesforce.control('GET', '/records?provider=salesforce&count_only=true');
    expect(count.body).toEqual({ provider: 'salesforce', count: 200 });
  });

  it('refuses 201 rows as a whole', async () => {
    expect(await upsert(rows(201))).toMatchObject({
      status: 400,
      body: [{ errorCode: 'EXCEEDED_ID_LIMIT' }],
    });
    expect(await salesforce.records()).toEqual([]);
  });

  it('fails alone the row without a key, of another object, with a create-only field of a known record', async () => {
    await upsert([row('known')]);
    const contact = { ContactId: '003Dw0000000001IAA' };
    const { body } = await upsert([
      row('known', contact),
      row('new', contact),
      row(''),
      { ...row('x'), attributes: { type: 'Account' } },
    ]);
    expect(resultsOf(body).map(errorOf)).toEqual([
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      undefined,
      'MISSING_ARGUMENT',
      'INVALID_TYPE',
    ]);
  });

  it('cannot choose between two records of one key in a field that is not unique', async () => {
    await salesforce.api('POST', '/composite/sobjects', {
      records: [row('a', { Legacy_Id__c: 'L' }), row('b', { Legacy_Id__c: 'L' })],
    });
    const { attributes } = row('c');
    const { body } = await upsert(
      [{ attributes, ...anOpportunity({ Legacy_Id__c: 'L' }) }],
      '/composite/sobjects/Opportunity/Legacy_Id__c',
    );
    expect(resultsOf(body).map(errorOf)).toEqual(['DUPLICATE_EXTERNAL_ID']);
  });

  it('rolls every row back under all-or-none', async () => {
    const records = [row('a'), row('b', { Name: null })];
    const { status, body } = await salesforce.api('PATCH', upsertPath, { allOrNone: true, records });
    expect(status).toBe(200);
    expect(resultsOf(body).map(errorOf)).toEqual([
      'ALL_OR_NONE_OPERATION_ROLLED_BACK',
      'REQUIRED_FIELD_MISSING',
    ]);
    expect(await salesforce.records()).toEqual([]);
  });

  it('locks some rows of a call when told so, and others the next time', async () => {
    await salesforce.fault({ kind: 'lock_row', match: { path: upsertPath }, times: 2, row_rate: 0.1 });
    const first = resultsOf((await upsert(rows(200))).body);
    const locked = first.flatMap((result, index) => (result.success === true ? [] : [index]));
    expect(locked.length).toBeGreaterThan(5);
    expect(locked.length).toBeLessThan(50);
    expect(first.filter((result) => result.success !== true).map(errorOf)).toEqual(
      locked.map(() => 'UNABLE_TO_LOCK_ROW'),
    );
    const again = resultsOf((await upsert(locked.map((index) => row(`k${index}`)))).body);
    expect(again.some((result) => result.success === true)).toBe(true);
  });

  it.each([
    ['reset_before_commit', 0],
    ['reset_after_commit', 3],
  ])('has written nothing or everything after %s', async (kind, written) => {
    await salesforce.fault({ kind, match: { path: upsertPath } });
    await expect(upsert(rows(3))).rejects.toThrow();
    expect(await salesforce.records()).toHaveLength(written);
  });

  it('commits late, after the client gave up, and the same keys then meet it', async () => {
    await salesforce.fault({
      kind: 'late_commit',
      match: { path: upsertPath },
      delay_ms: 60,
      reset_after_ms: 10,
    });
    await expect(upsert(rows(3))).rejects.toThrow();
    expect(await salesforce.records()).toEqual([]);
    await expect.poll(salesforce.records, { timeout: 3_000 }).toHaveLength(3);
    const { body } = await upsert(rows(3));
    expect(resultsOf(body).map(({ created }) => created)).toEqual([false, false, false]);
  });

  it('answers a limit as a whole', async () => {
    await salesforce.fault({ kind: 'rate_limit', match: { path: upsertPath } });
    expect(await upsert(rows(2))).toMatchObject({
      status: 403,
      body: [{ errorCode: 'REQUEST_LIMIT_EXCEEDED' }],
    });
  });

  it('is found by one query over its keys', async () => {
    await upsert(rows(200));
    const keys = Array.from({ length: 200 }, (_, index) => `'K${index * 2}'`).join(',');
    const found = await salesforce.query(
      `SELECT Id, Dealwright_Id__c FROM Opportunity WHERE Dealwright_Id__c IN (${keys})`,
    );
    expect(found).toHaveLength(100);
  });
});
