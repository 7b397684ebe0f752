import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import {
  anImport,
  answer,
  type FakeImportsApi,
  type Handler,
  IMPORT_ID,
  sendEvent,
  startFakeImportsApi,
} from '../support/fake-imports-api.ts';
import { until } from '../support/until.ts';

const ACCOUNT = '2c1f6a70-5a41-4a0b-9d3e-0c8f4b7e1c05';
const CSV = 'name,amount\nOne,1\nTwo,2\nThree,3\nFour,4\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dealwright-cli-'));
  await writeFile(join(folder, 'deals.csv'), CSV);
  // More than any socket buffers on the way.
  await writeFile(join(folder, 'large.csv'), `name\n${'x'.repeat(99)}\n`.repeat(200_000));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const accepted: Handler = (_, res) => answer(res, 202, anImport('queued', { queued: 4 }));
const now = (status: string, counts: Record<string, number>): Handler => {
  return (_, res) => answer(res, 200, anImport(status, counts));
};
const ended = now('completed', { succeeded: 4 });

/** The client against `api`, with a token and a folder of its own. */
const cli = (api: FakeImportsApi, args: string[], stdin?: string) =>
  runCli(args, {
    stdin,
    env: { DEALWRIGHT_URL: api.origin, DEALWRIGHT_TOKEN: 'test-token', INIT_CWD: folder },
  });

const IMPORT = `GET /imports/${IMPORT_ID}`;
const EVENTS = `GET /imports/${IMPORT_ID}/events`;

describe('the import client', () => {
  it('uploads the file, follows the import to its end and brings the results', async () => {
    const events: Handler = (_, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write(': alive\n\n');
      sendEvent(res, 'progress', 5, anImport('running', { running: 1, succeeded: 3 }));
      sendEvent(res, 'progress', 6, anImport('completed', { succeeded: 3, duplicate: 1 }));
      sendEvent(res, 'end', 6, anImport('completed', { succeeded: 3, duplicate: 1 }));
      res.end();
    };
    await using api = await startFakeImportsApi({
      'POST /imports': accepted,
      [IMPORT]: now('running', { running: 2, queued: 2 }),
      [EVENTS]: events,
      [`GET /imports/${IMPORT_ID}/results`]: (_, res) => res.end('name,row\r\nOne,1\r\n'),
    });
    const args = ['deals.csv', '--account', ACCOUNT, '--mapping', '{"name": "name", "Notes": null}'];
    const options = ['--strategy', 'single', '--max-errors', '7', '--on-unsupported', 'reject'];
    await using run = cli(api, [
      ...args,
      ...options,
      '--results',
      'out.csv',
      '--only',
      'failed,needs_review',
    ]);
    expect(await run.ended).toBe(0);
    const [upload] = api.received;
    expect(upload).toMatchObject({
      body: CSV,
      headers: {
        authorization: 'Bearer test-token',
        'content-type': 'text/csv',
        'content-length': String(CSV.length),
        'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    expect(Object.fromEntries(upload?.url.searchParams ?? [])).toEqual({
      integrated_account_id: ACCOUNT,
      mapping: '{"name":"name","Notes":null}',
      strategy: 'single',
      max_errors: '7',
      on_unsupported: 'reject',
    });
    expect(run.stderr()).toMatch(/upload {2}100 % {2}39 B of 39 B {2}[\d.]+ k?B\/s/);
    expect(run.stderr()).toMatch(
      /running {2}0 % {2}0 of 4 rows {2}2\.5\/s {2}0:03 left {2}2 running, 2 queued/,
    );
    expect(run.stdout()).toBe(`Import ${IMPORT_ID} completed: 4 rows, 3 succeeded, 1 duplicate.\n`);
    expect(api.received.at(-1)?.url.search).toBe('?format=csv&status=failed%2Cneeds_review');
    expect(await readFile(join(folder, 'out.csv'), 'utf8')).toBe('name,row\r\nOne,1\r\n');
  });

  it.each([
    ['completed', { succeeded: 4 }, 0],
    ['completed', { succeeded: 1, duplicate: 3 }, 0],
    ['completed', { succeeded: 3, failed: 1 }, 1],
    ['completed', { succeeded: 3, needs_review: 1 }, 1],
    ['cancelled', { succeeded: 3, cancelled: 1 }, 1],
    ['failed', { succeeded: 4 }, 1],
  ])('attached to one that is %s with %j ends with %i', async (status, counts, code) => {
    await using api = await startFakeImportsApi({ [IMPORT]: now(status, counts) });
    await using run = cli(api, ['--attach', IMPORT_ID]);
    expect(await run.ended).toBe(code);
    expect(run.stdout()).toContain(`Import ${IMPORT_ID} ${status}: 4 rows, `);
    // Whoever has rows to look after is told where they are.
    expect(run.stderr().includes(`--attach ${IMPORT_ID} --results`)).toBe(code === 1);
  });

  it('says why it was refused, each thing on its line, and ends with 2', async () => {
    const failures = ['"Deal" is no unified path', '"x" is no unified path'].map((message) => ({
      pointer: '/Deal',
      code: 'unknown_field',
      message,
    }));
    const refuse: Handler = (_, res) =>
      answer(res, 400, {
        message: 'The columns cannot be used.',
        code: 'invalid_import',
        details: { failures },
      });
    await using api = await startFakeImportsApi({ 'POST /imports': refuse });
    await using run = cli(api, ['deals.csv', '--account', ACCOUNT]);
    expect(await run.ended).toBe(2);
    expect(run.stderr()).toContain(
      'Refused: The columns cannot be used. (400 invalid_import)\n  - "Deal" is no unified path\n  - "x" is no unified path\n',
    );
    expect(api.received).toHaveLength(1);
  });

  it('stops sending when the answer comes before the end of the file', async () => {
    let read = 0;
    const refuse: Handler = (req, res) => {
      req.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (!res.headersSent) answer(res, 413, { message: 'It is too large.', code: 'import_too_large' });
      });
      req.on('error', () => {});
    };
    await using api = await startFakeImportsApi({}, { 'POST /imports': refuse });
    await using run = cli(api, ['large.csv', '--account', ACCOUNT]);
    expect(await run.ended).toBe(2);
    expect(run.stderr()).toContain('Refused: It is too large. (413 import_too_large)');
    expect(read).toBeLessThan(21_000_000);
  });

  it('sends the same again under the same key when the API cannot take it now', async () => {
    const notNow: Handler = (_, res) =>
      answer(res, 503, { message: 'Not now.', code: 'durability_unavailable' }, { 'Retry-After': '1' });
    const reset: Handler = (_, res) => res.destroy();
    await using api = await startFakeImportsApi({
      'POST /imports': [notNow, reset, accepted],
      [IMPORT]: ended,
    });
    await using run = cli(api, ['deals.csv', '--account', ACCOUNT]);
    expect(await run.ended).toBe(0);
    const uploads = api.received.filter(({ method }) => method === 'POST');
    expect(uploads.map(({ body }) => body)).toEqual([CSV, CSV, CSV]);
    expect(new Set(uploads.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(run.stderr()).toContain('Not now. (503 durability_unavailable) The same again in 1 s.');
  });

  it('takes standard input, tells its format, and does not send again what it cannot read again', async () => {
    const notNow: Handler = (_, res) => answer(res, 503, { message: 'Not now.', code: 'accept_timed_out' });
    await using api = await startFakeImportsApi({ 'POST /imports': [accepted, notNow], [IMPORT]: ended });
    for (const code of [0, 2]) {
      await using run = cli(api, ['-', '--account', ACCOUNT], '{"name":"One"}\n');
      expect(await run.ended).toBe(code);
    }
    const uploads = api.received.filter(({ method }) => method === 'POST');
    expect(uploads).toHaveLength(2);
    expect(uploads[0]).toMatchObject({
      body: '{"name":"One"}\n',
      headers: { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' },
    });
  });

  it('connects again where a stream of events was cut, from where it was', async () => {
    const cut: Handler = (_, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      sendEvent(res, 'progress', 7, anImport('running', { running: 4 }));
      until('the event to be on its way', () => res.writableLength === 0).then(() => res.destroy());
    };
    const rest: Handler = (_, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      sendEvent(res, 'progress', 9, anImport('completed', { succeeded: 4 }));
      res.end();
    };
    await using api = await startFakeImportsApi({
      [IMPORT]: now('running', { queued: 4 }),
      [EVENTS]: [cut, (_, res) => answer(res, 502, { message: 'Bad gateway.' }), rest],
    });
    await using run = cli(api, ['--attach', IMPORT_ID]);
    expect(await run.ended).toBe(0);
    const streams = api.received.filter(({ url }) => url.pathname.endsWith('/events'));
    expect(streams.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '7', '7']);
    expect(run.stderr()).toContain('The import does not depend on it');
  });

  it('leaves the import running on Ctrl-C and says how to follow it again', async () => {
    const silent: Handler = (_, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write(': alive\n\n');
    };
    await using api = await startFakeImportsApi({
      'POST /imports': accepted,
      [IMPORT]: now('running', { running: 4 }),
      [EVENTS]: silent,
    });
    await using run = cli(api, ['deals.csv', '--account', ACCOUNT]);
    await run.says(/running {2}0 %/);
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(130);
    expect(run.stderr()).toContain('The import goes on without this window.');
    expect(run.stderr()).toContain(`npm run import -- --attach ${IMPORT_ID}`);
    // Nothing was cancelled.
    expect(api.received.filter(({ method }) => method !== 'GET')).toHaveLength(1);
  });

  it('on Ctrl-C before the file is sent says that nothing is imported; after it, how to find out', async () => {
    let isCut = false;
    let goOn = () => {};
    // Takes nothing, until the client is gone: only who reads notices.
    const stuck: Handler = (req) => {
      goOn = () => req.resume();
      req.once('error', () => {
        isCut = true;
      });
    };
    await using slow = await startFakeImportsApi({}, { 'POST /imports': stuck });
    await using sending = cli(slow, ['large.csv', '--account', ACCOUNT]);
    await sending.says(/upload {2}\d+ %/);
    sending.child.kill('SIGINT');
    expect(await sending.ended).toBe(130);
    expect(sending.stderr()).toContain('nothing is imported');
    goOn();
    await until('the upload to be cut', () => isCut);

    await using mute = await startFakeImportsApi({ 'POST /imports': () => {} });
    await using sent = cli(mute, ['deals.csv', '--account', ACCOUNT, '--idempotency-key', 'k-1']);
    await until('the upload', () => mute.received.length === 1);
    await sent.says(/upload {2}100 %/);
    sent.child.kill('SIGINT');
    expect(await sent.ended).toBe(130);
    expect(sent.stderr()).toContain('with --idempotency-key k-1');
  });

  it('on Ctrl-C does not say of standard input that it did not arrive', async () => {
    await using mute = await startFakeImportsApi({ 'POST /imports': () => {} });
    await using run = cli(mute, ['-', '--account', ACCOUNT, '--idempotency-key', 'k-2'], 'name\nA\n');
    await until('the upload', () => mute.received.length === 1);
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(130);
    expect(run.stderr()).toMatch(/may have arrived whole.*--idempotency-key k-2/);
    expect(run.stderr()).not.toContain('nothing is imported');
  });

  it('sends nothing where the results could not be written afterwards', async () => {
    await using api = await startFakeImportsApi({ 'POST /imports': accepted });
    await using run = cli(api, ['deals.csv', '--account', ACCOUNT, '--results', 'nowhere/out.csv']);
    expect(await run.ended).toBe(2);
    expect(run.stderr()).toMatch(/The results cannot be written to .*out\.csv: look at the folder .*nowhere/);
    expect(api.received).toEqual([]);
  });

  it('on Ctrl-C ends although standard input says nothing', async () => {
    await using run = runCli(['-', '--account', ACCOUNT], { stdin: 'open', env: { DEALWRIGHT_TOKEN: 'x' } });
    await run.says(/Reading standard input/);
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(130);
    expect(run.stderr()).toContain('nothing is imported');
  });

  it('with --no-watch prints the id and ends, though standard input stays open', async () => {
    await using api = await startFakeImportsApi({ 'POST /imports': accepted });
    await using run = cli(api, ['deals.csv', '--account', ACCOUNT, '--no-watch']);
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toBe(`${IMPORT_ID}\n`);

    const refuse: Handler = (_, res) => answer(res, 401, { message: 'No.', code: 'unauthorized' });
    await using closed = await startFakeImportsApi({}, { 'POST /imports': refuse });
    await using open = runCli(['-', '--account', ACCOUNT], {
      stdin: 'open',
      env: { DEALWRIGHT_URL: closed.origin, DEALWRIGHT_TOKEN: 'x' },
    });
    open.child.stdin?.write('name\nOne\n');
    expect(await open.ended).toBe(2);
    expect(open.stderr()).toContain('Refused: No. (401 unauthorized)');
  });

  it('shows what a dry run found', async () => {
    const report = {
      object: 'import_report',
      valid: false,
      counts: { total: 4, valid: 3, failed: 1, with_warnings: 2 },
      errors_by_code: { wrong_type: 1 },
      warnings_by_code: { unsupported_field: 2 },
      errors: [
        {
          row: 2,
          line: 3,
          failures: [{ pointer: '/amount', code: 'wrong_type', message: 'must be a number' }],
        },
      ],
      requests: [],
    };
    await using api = await startFakeImportsApi({ 'POST /imports': (_, res) => answer(res, 200, report) });
    await using run = cli(api, ['deals.csv', '--account', ACCOUNT, '--dry-run']);
    expect(await run.ended).toBe(1);
    expect(api.received[0]?.url.searchParams.get('dry_run')).toBe('true');
    expect(run.stdout()).toBe(
      'Dry run: 4 rows, 3 could be written, 1 could not.\n  row 2 (line 3): /amount must be a number\n  2 rows: warning unsupported_field\n',
    );
  });

  // Eight processes start at once, which takes long on a busy machine.
  it('ends with 2 and a sentence where it cannot begin', { timeout: 60_000 }, async () => {
    const env = { DEALWRIGHT_URL: 'http://127.0.0.1:9', DEALWRIGHT_TOKEN: 'x', INIT_CWD: folder };
    const cases: [string[], RegExp][] = [
      [[], /name the file to import[\s\S]*--account ID/],
      [['deals.csv'], /--account is required/],
      [['deals.csv', '--acount', 'x'], /Unknown option '--acount'/],
      [['missing.csv', '--account', ACCOUNT], /There is no file .*missing\.csv/],
      [['deals.csv', '--account', ACCOUNT, '--mapping', 'map.json'], /There is no mapping file/],
      [['deals.csv', '--account', ACCOUNT, '--mapping', '{x}'], /--mapping is not valid JSON/],
      [['deals.csv', '--account', ACCOUNT], /cannot be reached \(ECONNREFUSED\)\. Does it run there\?/],
      [['deals.csv', '--account', ACCOUNT, '--url', 'example.com'], /is no URL/],
    ];
    await Promise.all(
      cases.map(async ([args, sentence]) => {
        await using run = runCli(args, { env });
        expect(await run.ended).toBe(2);
        expect(run.stderr()).toMatch(sentence);
        expect(run.stderr()).not.toMatch(/ {4}at /);
      }),
    );
  });
});
