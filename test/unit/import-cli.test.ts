import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseArguments } from '../../cli/arguments.ts';
import { createProgress } from '../../cli/progress.ts';
import { readEvents } from '../../cli/read-events.ts';
import { duration, summary, uploadLine, workLine } from '../../cli/show.ts';
import { openSource, type Source } from '../../cli/source.ts';
import { findTarget } from '../../cli/target.ts';
import { inPieces } from './import-support.ts';

const ACCOUNT = ['--account', 'a1'];

function aFolder(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dealwright-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

describe('the command line', () => {
  it('waits for the end unless told otherwise', () => {
    expect(parseArguments(['deals.csv', ...ACCOUNT])).toMatchObject({ ok: true, value: { watch: true } });
    expect(parseArguments(['deals.csv', ...ACCOUNT, '--watch'])).toMatchObject({ value: { watch: true } });
    expect(parseArguments(['deals.csv', ...ACCOUNT, '--no-watch'])).toMatchObject({
      value: { watch: false },
    });
    expect(parseArguments(['--attach', 'i1'])).toMatchObject({
      value: { work: { kind: 'attach', importId: 'i1' } },
    });
    expect(parseArguments(['-', ...ACCOUNT])).toMatchObject({
      value: { work: { file: '-', account: 'a1' } },
    });
    expect(parseArguments(['--help'])).toEqual({ ok: 'help' });
  });

  it.each([
    [['a.csv', 'b.csv', ...ACCOUNT], 'one file at a time'],
    [['a.csv', '--attach', 'i1'], 'takes no file'],
    [['a.csv', ...ACCOUNT, '--strategy', 'fast'], 'auto, single, collections, bulk'],
    [['a.csv', ...ACCOUNT, '--format', 'xlsx'], 'csv, ndjson, json'],
    [['a.csv', ...ACCOUNT, '--on-unsupported', 'drop'], 'reject, warn, ignore'],
    [['a.csv', ...ACCOUNT, '--max-errors', '0'], 'whole number'],
    [['a.csv', ...ACCOUNT, '--only', 'failed'], '--results'],
    [['a.csv', ...ACCOUNT, '--results', 'o.csv', '--no-watch'], 'waited for'],
    [['a.csv', ...ACCOUNT, '--results', 'o.csv', '--dry-run'], 'waited for'],
    [['a.csv', '--account'], '--account'],
    [['a.csv', ...ACCOUNT, '--results', 'o.csv', '--only', 'failed,bogus'], 'it has "bogus"'],
    [['--attach', 'i1', '--dry-run'], 'takes no --dry-run'],
    [['--attach', 'i1', '--strategy', 'bulk'], 'takes no --strategy'],
  ])('%j is refused', (argv, sentence) => {
    expect(parseArguments(argv)).toMatchObject({ ok: false, message: expect.stringContaining(sentence) });
  });
});

describe('the target', () => {
  it('is what the flags say, else the environment, else this machine', () => {
    const env = { DEALWRIGHT_URL: 'https://env.example/dealwright', DEALWRIGHT_TOKEN: 'env' };
    const flags = { url: 'https://flag.example', token: 'flag' };
    expect(findTarget(flags, env)).toEqual({ url: new URL('https://flag.example/'), token: 'flag' });
    expect(findTarget({}, env)).toEqual({ url: new URL('https://env.example/dealwright/'), token: 'env' });
    expect(findTarget({}, { PORT: '3100', ADMIN_TOKEN: 'admin' })).toEqual({
      url: new URL('http://127.0.0.1:3100/'),
      token: 'admin',
    });
  });

  it('gets the token npm start made, on this machine only', () => {
    const secrets = JSON.stringify({ admin_token: 'made', encryption_keys: 'k1:x' });
    const env = { DATA_DIR: aFolder({ 'secrets.json': secrets }) };
    expect(findTarget({}, env).token).toBe('made');
    expect(findTarget({ url: 'http://localhost:3000' }, env).token).toBe('made');
    for (const url of ['http://10.0.0.5:3000', 'https://127.0.0.1.example.com']) {
      expect(() => findTarget({ url }, { ...env, ADMIN_TOKEN: 'admin' })).toThrow('A token for');
    }
    expect(() => findTarget({}, { DATA_DIR: aFolder({}) })).toThrow('DEALWRIGHT_TOKEN');
  });
});

describe('the source', () => {
  const textOf = async (source: Source) => {
    let all = '';
    for await (const chunk of source.open()) all += Buffer.from(chunk).toString();
    return all;
  };

  it('has its format from the name, else from the first byte', async () => {
    const folder = aFolder({
      'a.CSV': 'name\n',
      'b.csv.gz': Buffer.from([0x1f, 0x8b]),
      'c.jsonl': '',
      'd.json': '[]',
      'e.export': ' [{}]',
      f: '\uFEFF{"a":1}',
      'g.2026': 'name;x\n',
      'h.tsv': 'name\tx\n',
    });
    const types = ['a.CSV', 'b.csv.gz', 'c.jsonl', 'd.json', 'e.export', 'f', 'g.2026', 'h.tsv'].map(
      async (name) => {
        const { contentType, contentEncoding, sizeBytes } = await openSource(
          name,
          undefined,
          folder,
          inPieces(Buffer.from(''), []),
        );
        return [contentType, contentEncoding, sizeBytes];
      },
    );
    expect(await Promise.all(types)).toEqual([
      ['text/csv', undefined, 5],
      ['text/csv', 'gzip', 2],
      ['application/x-ndjson', undefined, 0],
      ['application/json', undefined, 2],
      ['application/json', undefined, 5],
      ['application/x-ndjson', undefined, 10],
      ['text/csv', undefined, 7],
      ['text/csv', undefined, 7],
    ]);
    expect(await textOf(await openSource('c.jsonl', undefined, folder, inPieces(Buffer.from(''), [])))).toBe(
      '',
    );
    expect(await textOf(await openSource('h.tsv', undefined, folder, inPieces(Buffer.from(''), [])))).toBe(
      'name\tx\n',
    );
  });

  it('is standard input whole, though its first bytes were looked at', async () => {
    const stdin = () => inPieces(Buffer.from('[{"name":"One"}]'), [1, 5]);
    const source = await openSource('-', undefined, '.', stdin());
    expect(source).toMatchObject({ contentType: 'application/json', isRepeatable: false });
    expect(await textOf(source)).toBe('[{"name":"One"}]');
    expect((await openSource('-', 'csv', '.', stdin())).contentType).toBe('text/csv');
    const packed = openSource('-', undefined, '.', inPieces(Buffer.from([0x1f, 0x8b, 8]), []));
    await expect(packed).rejects.toThrow('--format');
  });
});

describe('progress', () => {
  const state = {
    id: 'i1',
    status: 'running',
    counts: {
      total: 10_000,
      queued: 5_860,
      running: 40,
      succeeded: 4_080,
      failed: 12,
      needs_review: 0,
      cancelled: 0,
      duplicate: 8,
    },
    warnings: [],
    rows_per_second: 39.44,
    eta_seconds: 150,
  };

  it('says how far, how fast, how long, and what became of the rows', () => {
    expect(workLine(state, false)).toBe(
      'running  41 %  4,100 of 10,000 rows  39.4/s  2:30 left  4,080 succeeded, 8 duplicate, 12 failed, 40 running, 5,860 queued',
    );
    expect(workLine(state, true)).toContain('██████████░░░░░░░░░░░░░░  41 %');
    const upload = { sentBytes: 12_000_000, sizeBytes: 20_000_000, elapsedMs: 1_500 };
    expect(uploadLine(upload, false)).toBe('upload  60 %  12.0 MB of 20.0 MB  8.0 MB/s  0:01 left');
    expect(uploadLine({ ...upload, sizeBytes: undefined }, true)).toBe('upload  12.0 MB  8.0 MB/s');
    expect(duration(3_845)).toBe('1:04:05');
  });

  it('ends with what was said of rows that were written', () => {
    const warnings = [
      { code: 'unsupported_field', message: 'Close has no tags on opportunities', rows: 4_000 },
    ];
    expect(summary({ ...state, status: 'completed', warnings })).toMatch(
      /^Import \S+ completed: 10,000 rows, .*\.\n4,000 rows: Close has no tags on opportunities \(unsupported_field\)$/,
    );
  });

  it('is one line redrawn on a terminal, at most ten times a second and never wider than it', () => {
    let text = '';
    let now = 0;
    const output = { isTTY: true, columns: 20, write: (part: string) => (text += part) };
    const progress = createProgress(output, () => now);
    progress.show('first');
    now = 50;
    progress.show('too soon');
    now = 100;
    progress.show('a line that is wider than the terminal');
    progress.note('done');
    expect(text).toBe('\r\u001b[2Kfirst\r\u001b[2Ka line that is wide\ndone\n');
  });

  it('is a line every ten seconds elsewhere, and where it matters', () => {
    const lines: string[] = [];
    let now = 0;
    const progress = createProgress({ write: (part: string) => lines.push(part) }, () => now);
    for (; now < 25_000; now += 1_000) progress.show(`at ${now}`);
    progress.show('the end', true);
    progress.close();
    expect(lines).toEqual(['at 0\n', 'at 10000\n', 'at 20000\n', 'the end\n']);
  });
});

describe('server-sent events', () => {
  it('are read however they are cut, comments and unknown fields aside', async () => {
    const text =
      'retry: 2000\n\n: alive\r\n\r\nevent: progress\nid: 7\ndata: {"a":"ü"}\n\ndata: one\rdata:two\r\r\nid: 9\n\nevent: end\ndata: x\n\nevent: cut';
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }), async (sizes) => {
        const events = [];
        for await (const event of readEvents(inPieces(Buffer.from(text), sizes))) events.push(event);
        expect(events).toEqual([
          { type: 'progress', id: '7', data: '{"a":"ü"}' },
          { type: 'message', id: undefined, data: 'one\ntwo' },
          { type: 'end', id: undefined, data: 'x' },
        ]);
      }),
    );
  });
});
