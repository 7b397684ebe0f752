import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { isErrorCode } from '../../shared/errors.ts';
import { type RunningProcess, TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { closeRows, importsOf } from './import-support.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

vi.setConfig({ testTimeout: 60_000 });

let rig: Rig;
let imports: ReturnType<typeof importsOf>;
let worker: RunningProcess;
let account: Target;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  imports = importsOf(rig);
  worker = await rig.workerForAll();
  account = await rig.account('close');
});
afterAll(async () => {
  await worker.kill();
  await rig.close();
});

it('writes every row once, in any of its forms, and says what became of each', async () => {
  const name = aName('Rows');
  const answer = await imports.upload(account, closeRows(name, 250), { gzip: true });
  expect(answer.status).toBe(202);
  expect(answer.headers.get('location')).toBe(`/imports/${answer.body.id}`);
  const ended = await imports.ended(String(answer.body.id));
  expect(ended).toMatchObject({
    status: 'completed',
    strategy: 'single',
    counts: { total: 250, queued: 0, running: 0, succeeded: 250, failed: 0 },
    eta_seconds: 0,
  });
  const results = await imports.results(ended.id);
  expect(results.map(({ row }) => row)).toEqual(Array.from({ length: 250 }, (_, i) => i + 1));
  expect(new Set(results.map(({ remote_id }) => remote_id)).size).toBe(250);
  expect(results[6]).toMatchObject({ name: `${name} #7#`, status: 'succeeded' });
  expect(await rig.records(account, name)).toHaveLength(250);
});

it('says of its rows what the provider has no place for, before anything is written', async () => {
  const name = aName('Tagged');
  const rows = closeRows(name, 3).trim().split('\n');
  const tagged = rows.map((row, i) =>
    i === 0 ? row : JSON.stringify({ ...JSON.parse(row), tags: [{ name: 'big' }] }),
  );
  const { body } = await imports.upload(account, tagged.join('\n'));
  const warnings = [{ code: 'unsupported_field', pointer: '/tags', rows: 2, first_row: 2 }];
  expect(body).toMatchObject({ warnings });
  expect(await imports.ended(String(body.id))).toMatchObject({ warnings, counts: { succeeded: 3 } });
  const ignored = await imports.upload(account, tagged.join('\n'), { query: '&on_unsupported=ignore' });
  expect(ignored.body).toMatchObject({ warnings: [] });
  await imports.ended(String(ignored.body.id));
});

it('a row that cannot be written is a failed row, by our field; the others go on', async () => {
  const name = aName('Mixed');
  const csv = [
    'name,account.id,owner.id,amount,stage.name',
    `"${name}, a",lead_Northwind,user_Ann,100.50,`,
    `${name} b,,user_Ann,1,`,
    `${name} c,lead_Northwind,user_Ann,-1,`,
    `${name} d,lead_Northwind,user_Ann,1,No Such Stage`,
  ].join('\n');
  const uploaded = await imports.upload(account, csv, { type: 'text/csv' });
  const [id, requestId] = [String(uploaded.body.id), uploaded.headers.get('x-request-id')];
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({ status: 'completed', counts: { succeeded: 1, failed: 3 } });
  const results = await imports.results(id);
  expect(results.map(({ line, status, pointer }) => [line, status, pointer])).toEqual([
    [2, 'succeeded', null],
    [3, 'failed', '/account'],
    [4, 'failed', '/amount'],
    [5, 'failed', expect.stringMatching(/^\/stage/)],
  ]);
  expect(results[0]).toMatchObject({ 'account.id': 'lead_Northwind', amount: '100.50' });
  expect(await imports.results(id, 'status=failed')).toHaveLength(3);

  const listed = await rig.ask('GET', `/jobs?import_id=${id}&limit=3`);
  const jobs = listed.body.data as {
    id: string;
    status: string;
    import_id: string;
    request: { body: unknown };
    error: { code: string; request_id: string };
  }[];
  expect(jobs.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
  expect(jobs.every(({ import_id }) => import_id === id)).toBe(true);
  // Of the field the code is its own, of the error it is one of the catalogue; and the upload is the request that made the job.
  expect(jobs.filter(({ error }) => !isErrorCode(error.code))).toEqual([]);
  expect(jobs.every(({ error }) => error.request_id === requestId)).toBe(true);
  const rest = await rig.ask('GET', `/jobs?import_id=${id}&limit=3&cursor=${listed.body.next_cursor}`);
  const [first] = rest.body.data as { id: string; result: { id: string } }[];
  expect(await rig.job(String(first?.id))).toMatchObject({
    status: 'succeeded',
    result: { id: results[0]?.remote_id },
  });
  // A row that has ended is no job any more: its import is what can be retried.
  expect(await rig.ask('POST', `/jobs/${jobs[0]?.id}/retry`)).toMatchObject({ status: 409 });
  // Listed by their import alone.
  const all = await rig.ask('GET', `/jobs?integrated_account_id=${account.id}`);
  expect(all.body.data).toEqual([]);
});

it('the same key and body give the same import, another body is refused', async () => {
  const rows = closeRows(aName('Keyed'), 3);
  const headers = { 'idempotency-key': aName('key') };
  const first = await imports.upload(account, rows, { headers });
  const again = await imports.upload(account, rows, { headers });
  expect(again.status).toBe(202);
  expect(again.body.id).toBe(first.body.id);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const other = await imports.upload(account, `${rows}\n{"name":"one more"}`, { headers });
  expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  const otherOptions = await imports.upload(account, rows, { headers, query: '&row_events=true' });
  expect(otherOptions.status).toBe(422);
  await imports.ended(String(first.body.id));
});

it('what spoils the whole is refused and leaves nothing', async () => {
  const headers = { 'idempotency-key': aName('key') };
  const bad = `${closeRows(aName('Spoilt'), 450)}\n`;
  const refused = await imports.upload(account, 'name,nmae\nx,y\n', { type: 'text/csv', headers });
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_import' } });
  expect(await imports.upload(account, '', { headers })).toMatchObject({ status: 400 });
  expect(await imports.upload(account, bad, { type: 'text/plain' })).toMatchObject({ status: 415 });
  expect(await imports.upload(account, bad, { query: '&strategy=collections' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_query' },
  });
  expect((await rig.redis.keys(`${rig.prefix}:*:import-key:*`)).length).toBeLessThan(2);
  // Nothing was accepted under the key: it is free for the corrected file.
  const corrected = await imports.upload(account, closeRows(aName('Corrected'), 1), { headers });
  expect(corrected.status).toBe(202);
  await imports.ended(String(corrected.body.id));
});

it.each([
  ['a CSV with a column nobody knows', 'text/csv', 'nmae\n', {}],
  ['what is no gzip', 'text/csv', 'name\n', { 'content-encoding': 'gzip' }],
  ['a row that is no JSON', 'application/x-ndjson', '{\n', {}],
])(
  '%s is refused also to who sends all of a large body before reading, as browsers do',
  async (_, type, head, more) => {
    for (const trial of ['', '&dry_run=true']) {
      const rest = `${'x'.repeat(99)}\n`.repeat(120_000);
      const { port } = new URL(rig.api.origin);
      const headers = {
        host: 'localhost',
        authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
        'content-type': type,
        'content-length': head.length + rest.length,
        ...more,
      };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const path = `/imports?integrated_account_id=${account.id}${trial}`;
      const socket = connect(Number(port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      await new Promise<void>((sent, lost) => {
        socket.once('error', lost);
        socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${head}${rest}`, () => sent());
      });
      const [answer] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1.1 400 /);
    }
  },
);

it('dry_run checks every row, shows what would be sent, and keeps nothing', async () => {
  const rows = closeRows(aName('Dry'), 30, (row) => (row === 5 ? { account: undefined } : {}));
  const { status, body } = await imports.upload(account, rows, { query: '&dry_run=true' });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    object: 'import_report',
    valid: false,
    counts: { total: 30, valid: 29, failed: 1 },
    errors_by_code: { missing_required_fields: 1 },
    errors: [{ row: 5, failures: [{ pointer: '/account' }] }],
  });
  expect(body.requests).toHaveLength(20);
  const [first] = body.requests as { method: string; body: { lead_id: string } }[];
  expect(first).toMatchObject({ method: 'POST', body: { lead_id: 'lead_Northwind' } });
});

it('a dedupe key is written once over imports; a failed row frees its key', async () => {
  const [name, key] = [aName('Dedupe'), aName('key')];
  const failing = await imports.accepted(
    account,
    closeRows(name, 1, () => ({ dedupe_key: key, stage: { name: 'No Such Stage' } })),
  );
  expect((await imports.ended(failing)).counts.failed).toBe(1);
  const first = await imports.accepted(
    account,
    closeRows(name, 1, () => ({ dedupe_key: key })),
  );
  expect((await imports.ended(first)).counts.succeeded).toBe(1);
  const [written] = await imports.results(first);
  const second = await imports.accepted(
    account,
    closeRows(name, 2, () => ({ dedupe_key: key })),
  );
  expect((await imports.ended(second)).counts).toMatchObject({ duplicate: 2, succeeded: 0 });
  for (const row of await imports.results(second)) {
    expect(row).toMatchObject({ status: 'duplicate', remote_id: written?.remote_id });
  }
  expect(await rig.records(account, name)).toHaveLength(1);
});

it('within one import the second row of a key is the duplicate of the first', async () => {
  const [name, key] = [aName('Twins'), aName('key')];
  const id = await imports.accepted(
    account,
    closeRows(name, 5, () => ({ dedupe_key: key })),
  );
  expect((await imports.ended(id)).counts).toMatchObject({ duplicate: 4, succeeded: 1 });
  const ids = new Set((await imports.results(id)).map(({ remote_id }) => remote_id));
  expect(ids.size).toBe(1);
  expect(await rig.records(account, name)).toHaveLength(1);
});

it('stops at max_errors: the rest is not begun', async () => {
  const slow = await rig.account('close', { rate_limit: { requests: 20, per_seconds: 1, concurrency: 2 } });
  const rows = closeRows(aName('Errors'), 300, (row) =>
    row > 8 && row < 40 ? { stage: { name: 'Nowhere' } } : {},
  );
  const uploaded = await imports.upload(slow, rows, { query: '&max_errors=5' });
  const ended = await imports.ended(String(uploaded.body.id));
  const request_id = uploaded.headers.get('x-request-id');
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'import_max_errors', request_id } });
  const { total, succeeded, failed, cancelled } = ended.counts;
  expect(failed).toBeGreaterThanOrEqual(5);
  expect(cancelled).toBeGreaterThan(200);
  expect(succeeded + failed + cancelled).toBe(total);
});

it('retry-failed writes no row that was no opportunity; one that the account refused is tried again', async () => {
  const name = aName('Unread');
  const at = { account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } };
  const rows = [
    { ...at, name: `${name} 1`, foo: 1 },
    { ...at, name: `${name} 2`, amount: '5' },
    { ...at, name: `${name} 3`, amount: 1.5, contact: [{ idd: 'x' }] },
    { ...at, name: 5, amount: 3 },
    { ...at, name: `${name} 5`, stage: { name: 'Won later' } },
  ];
  const json = await imports.accepted(account, rows.map((row) => JSON.stringify(row)).join('\n'));
  const csv = await imports.accepted(
    account,
    `name,account.id,owner.id,amount,stage.name\n${name} 6,lead_Northwind,user_Ann,abc,\n${name} 7,lead_Northwind,user_Ann,1,Won later`,
    { type: 'text/csv' },
  );
  for (const id of [json, csv]) {
    expect((await imports.ended(id)).counts).toMatchObject({ succeeded: 0 });
    const shown = (await rig.ask('GET', `/jobs?import_id=${id}`)).body.data as {
      request: { body: unknown };
    }[];
    // Cells that are no opportunity have no body.
    if (id === json) expect(shown.map(({ request }) => request.body).reverse()).toEqual(rows);
    const before = await imports.results(id);
    const readable = before.filter(({ pointer }) => pointer?.startsWith('/stage'));
    expect(readable).toHaveLength(1);
    expect((await imports.act(id, 'retry-failed')).status).toBe(200);
    expect((await imports.ended(id)).counts).toMatchObject({ succeeded: 0, failed: before.length });
    expect(await imports.results(id)).toEqual(before);
  }
  expect(await rig.records(account, name)).toEqual([]);
});

it('retry-failed begins the failed rows again, with the ids they had', async () => {
  const name = aName('Again');
  // Refused by the provider itself: nothing that could be seen before.
  await rig.fault(account, {
    kind: 'status',
    status: 422,
    body: { 'field-errors': {}, errors: ['no'] },
    times: 3,
  });
  const id = await imports.accepted(account, closeRows(name, 5));
  const first = await imports.ended(id);
  expect(first.counts).toMatchObject({ succeeded: 2, failed: 3 });
  const before = await rig.ask('GET', `/jobs?import_id=${id}&status=failed`);
  expect((await imports.act(id, 'retry-failed')).status).toBe(200);
  const second = await imports.ended(id);
  expect(second).toMatchObject({ status: 'completed', counts: { succeeded: 5, failed: 0 } });
  for (const { id: job } of before.body.data as { id: string }[]) {
    expect((await rig.job(job)).status).toBe('succeeded');
  }
  expect(await rig.records(account, name)).toHaveLength(5);
  expect(await imports.act(id, 'retry-failed')).toMatchObject({ status: 409 });
  expect((await rig.ask('DELETE', `/imports/${id}`)).status).toBe(204);
  expect((await rig.ask('GET', `/imports/${id}`)).status).toBe(404);
  expect(await rig.redis.keys(`${rig.prefix}:*:import:${id}*`)).toEqual([]);
});
