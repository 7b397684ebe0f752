import { describe, expect, it } from 'vitest';
import { useSalesforce } from './salesforce-harness.ts';

const salesforce = useSalesforce();
const header = 'Dealwright_Id__c,Name,StageName,CloseDate\n';
const line = (index: number) => `k${index},Deal ${index},Prospecting,2026-12-31\n`;
const csvOf = (count: number) => header + Array.from({ length: count }, (_, index) => line(index)).join('');
const field = (body: unknown, name: string): unknown => Reflect.get(Object(body), name);
const linesOf = (body: unknown): string[] => String(body).trimEnd().split('\n').slice(1);

async function open(overrides: Record<string, unknown> = {}): Promise<string> {
  const job = {
    object: 'Opportunity',
    operation: 'upsert',
    externalIdFieldName: 'Dealwright_Id__c',
    ...overrides,
  };
  return String(field((await salesforce.api('POST', '/jobs/ingest', job)).body, 'id'));
}
const upload = (id: string, csv: string) =>
  salesforce.api('PUT', `/jobs/ingest/${id}/batches`, csv, { 'content-type': 'text/csv' });
const change = (id: string, state: string) => salesforce.api('PATCH', `/jobs/ingest/${id}`, { state });
const get = async (id: string, part = '') => (await salesforce.api('GET', `/jobs/ingest/${id}${part}`)).body;
const reach = (id: string, state: string | RegExp) =>
  expect
    .poll(() => get(id), { interval: 10, timeout: 5_000 })
    .toMatchObject({ state: expect.stringMatching(state) });

async function run(csv: string, overrides: Record<string, unknown> = {}): Promise<string> {
  const id = await open(overrides);
  await upload(id, csv);
  await change(id, 'UploadComplete');
  await reach(id, /^(?:JobComplete|Failed)$/);
  return id;
}

describe('a Bulk 2.0 upsert', () => {
  it('meters each request and takes a batch of the daily allocation', async () => {
    await salesforce.configure({ bulk_delay_ms: 0, stale_limit_info: false });
    const id = await run(csvOf(450));
    expect(await get(id)).toMatchObject({ numberRecordsProcessed: 450, numberRecordsFailed: 0 });
    expect(linesOf(await get(id, '/successfulResults'))).toHaveLength(450);
    expect(linesOf(await get(id, '/failedResults'))).toEqual([]);
    const limits = await salesforce.api('GET', '/limits');
    const { body } = await salesforce.control('GET', '/calls?provider=salesforce&summary=true');
    expect(limits.body).toMatchObject({
      DailyBulkApiBatches: { Max: 15_000, Remaining: 14_999 },
      DailyApiRequests: { Remaining: 5_000_000 - Number(field(body, 'total')) },
    });
  });

  it('fails as a whole when the line ends are not those announced', async () => {
    await salesforce.configure({ bulk_delay_ms: 0 });
    const id = await run(csvOf(2).replaceAll('\n', '\r\n'));
    expect(await get(id)).toMatchObject({
      state: 'Failed',
      errorMessage: 'ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF',
    });
    expect(linesOf(await get(id, '/unprocessedrecords'))).toHaveLength(2);
    expect(await salesforce.records()).toEqual([]);
    const right = await run(csvOf(2).replaceAll('\n', '\r\n'), { lineEnding: 'CRLF' });
    expect(await get(right)).toMatchObject({ state: 'JobComplete' });
  });

  it('takes quotes, delimiters and line ends in a quoted value, and fails alone a row with text beside a quote', async () => {
    await salesforce.configure({ bulk_delay_ms: 0 });
    const id = await run(
      `${header}a,"Two ""big""\nlines, one name",Prospecting,2026-12-31\nb,"Bad" ,Prospecting,2026-12-31\nc,#N/A,Prospecting,2026-12-31\n`,
    );
    expect(await salesforce.records()).toMatchObject([{ Name: 'Two "big"\nlines, one name' }]);
    const failed = linesOf(await get(id, '/failedResults'));
    expect(failed).toHaveLength(2);
    expect(failed[1]).toContain('REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --');
  });

  it('dies on the way and keeps what it had written', async () => {
    await salesforce.configure({ bulk_delay_ms: 0, bulk_fail_after_rows: 250 });
    const id = await run(csvOf(600));
    expect(await get(id)).toMatchObject({
      state: 'Failed',
      numberRecordsProcessed: 250,
      errorMessage: expect.stringContaining('TooManyLockFailure'),
    });
    expect(linesOf(await get(id, '/successfulResults'))).toHaveLength(250);
    expect(linesOf(await get(id, '/unprocessedrecords'))).toHaveLength(350);
    expect(await salesforce.records()).toHaveLength(250);
  });

  it('lists nowhere what exceeds the daily batches', async () => {
    await salesforce.configure({ bulk_delay_ms: 0, bulk_batches: 0 });
    const id = await run(csvOf(10));
    expect(await get(id)).toMatchObject({
      state: 'Failed',
      errorMessage: expect.stringContaining('ExceededQuota'),
    });
    for (const part of ['/successfulResults', '/failedResults', '/unprocessedrecords']) {
      expect(linesOf(await get(id, part))).toEqual([]);
    }
  });

  it('can be aborted before and in the middle of its work', async () => {
    await salesforce.configure({ bulk_delay_ms: 0, bulk_chunk_ms: 60_000 });
    const id = await open();
    await upload(id, csvOf(500));
    await change(id, 'UploadComplete');
    await expect.poll(() => get(id), { timeout: 3_000 }).toMatchObject({ numberRecordsProcessed: 200 });
    expect((await salesforce.api('DELETE', `/jobs/ingest/${id}`)).status).toBe(400);
    expect((await change(id, 'Aborted')).body).toMatchObject({ state: 'Aborted' });
    expect(linesOf(await get(id, '/successfulResults'))).toHaveLength(200);
    await expect.poll(async () => linesOf(await get(id, '/unprocessedrecords'))).toHaveLength(300);
    expect((await change(id, 'UploadComplete')).body).toMatchObject([{ errorCode: 'INVALIDJOBSTATE' }]);

    const early = await open();
    await upload(early, csvOf(3));
    await change(early, 'Aborted');
    expect(linesOf(await get(early, '/unprocessedrecords'))).toHaveLength(3);
    expect((await salesforce.api('DELETE', `/jobs/ingest/${early}`)).status).toBe(204);
    expect(await get(early)).toMatchObject([{ errorCode: 'NOT_FOUND' }]);
  });

  it('locks some rows when the call that closes it is told so', async () => {
    await salesforce.configure({ bulk_delay_ms: 0 });
    await salesforce.fault({
      kind: 'lock_row',
      match: { method: 'PATCH', path: '/jobs/ingest/' },
      row_rate: 0.1,
    });
    const id = await run(csvOf(200));
    const failed = linesOf(await get(id, '/failedResults'));
    expect(failed.length).toBeGreaterThan(5);
    expect(failed[0]).toMatch(/^"","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access.*: --","k\d+"/);
    expect(linesOf(await get(id, '/successfulResults'))).toHaveLength(200 - failed.length);
  });

  it('is written although the answer to the closing was lost', async () => {
    await salesforce.configure({ bulk_delay_ms: 0 });
    await salesforce.fault({ kind: 'reset_after_commit', match: { method: 'PATCH', path: '/jobs/ingest/' } });
    const id = await open();
    await upload(id, csvOf(5));
    await expect(change(id, 'UploadComplete')).rejects.toThrow();
    await reach(id, 'JobComplete');
    expect(await salesforce.records()).toHaveLength(5);
  });
});
