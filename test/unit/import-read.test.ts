import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/app-error.ts';
import { readRows } from '../../shared/imports/read-rows.ts';
import { CSV, inPieces, JSON_ARRAY, NDJSON, read, rowsOf } from './import-support.ts';

const limits = { rowsMax: 10, bytesMax: 10_000, rowBytesMax: 1_000 };
const begin = (contentType: string | undefined, contentEncoding?: string) => () =>
  readRows(inPieces(Buffer.from('x'), []), { contentType, contentEncoding, mapping: undefined, limits });

async function drain(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

describe('what an import may be', () => {
  it.each([
    ['application/x-www-form-urlencoded', undefined],
    ['multipart/form-data; boundary=x', undefined],
    [undefined, undefined],
    ['text/csv; charset=iso-8859-1', undefined],
    ['text/csv', 'br'],
    ['text/csv', 'gzip, gzip'],
  ])('refuses %s, encoded %s, at once', (contentType, contentEncoding) => {
    expect(begin(contentType, contentEncoding)).toThrow(
      expect.objectContaining({ code: 'unsupported_media_type' }),
    );
  });

  it.each([
    ['TEXT/CSV; charset="UTF-8"; header=present', undefined, 'csv'],
    ['application/x-ndjson', 'identity', 'ndjson'],
    ['application/json;charset=utf-8', 'GZIP', 'json'],
  ])('takes %s, encoded %s', (contentType, contentEncoding, format) => {
    expect(begin(contentType, contentEncoding)().format).toBe(format);
  });

  it('unpacks gzip whether it is said or seen', async () => {
    const packed = gzipSync('name\nOne\n');
    for (const contentEncoding of ['gzip', undefined]) {
      expect(await rowsOf(packed, CSV, { contentEncoding })).toMatchObject([{ body: { name: 'One' } }]);
    }
    expect(await read('name\nOne\n', CSV, { contentEncoding: 'gzip' })).toMatchObject({
      code: 'invalid_import',
      message: expect.stringContaining('not gzip'),
    });
  });

  it('refuses what is too large by rows and by unpacked bytes', async () => {
    const csv = `name\n${'One\n'.repeat(11)}`;
    expect(await read(csv, CSV, { limits })).toMatchObject({
      code: 'import_too_large',
      message: expect.stringContaining('more than 10 rows'),
    });
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    expect(bomb.length).toBeLessThan(60_000);
    expect(await read(bomb, CSV, { limits })).toMatchObject({ code: 'import_too_large' });
    for (const [text, type] of [
      [`{"name":"${'x'.repeat(2_000)}"}`, NDJSON],
      [`[{"name":"${'x'.repeat(2_000)}"}]`, JSON_ARRAY],
    ] as const) {
      expect(await read(text, type, { limits })).toMatchObject({
        code: 'import_too_large',
        message: expect.stringContaining('Row 1, which starts on line 1, is larger than 1000 bytes'),
      });
    }
  });

  it('passes on that the stream broke, and ends the stream when it stops early', async () => {
    const broken = new Error('the client went away');
    async function* breaking() {
      yield Buffer.from('name\nOne\n');
      throw broken;
    }
    for (const contentEncoding of [undefined, 'gzip']) {
      const source = contentEncoding
        ? (async function* () {
            yield gzipSync('name\nOne\n').subarray(0, 20);
            throw broken;
          })()
        : breaking();
      const { rows } = readRows(source, { contentType: CSV, contentEncoding, mapping: undefined, limits });
      await expect(drain(rows)).rejects.toBe(broken);
    }
    let isEnded = false;
    async function* endless() {
      try {
        yield Buffer.from('name\n');
        for (;;) yield Buffer.from('One\n');
      } finally {
        isEnded = true;
      }
    }
    const { rows } = readRows(endless(), {
      contentType: CSV,
      contentEncoding: undefined,
      mapping: undefined,
      limits,
    });
    await expect(drain(rows)).rejects.toBeInstanceOf(AppError);
    expect(isEnded).toBe(true);
  });

  it('reads no further ahead than it must', async () => {
    let pulled = 0;
    async function* counted() {
      yield Buffer.from('name\n');
      for (;;) {
        pulled++;
        yield Buffer.from('One\n'.repeat(100));
      }
    }
    const options = { contentType: CSV, contentEncoding: undefined, mapping: undefined };
    const { rows } = readRows(counted(), { ...options, limits: { ...limits, rowsMax: 1e6, bytesMax: 1e9 } });
    let seen = 0;
    for await (const _ of rows) {
      seen++;
      expect(pulled).toBeLessThanOrEqual(Math.ceil(seen / 100) + 1);
      if (seen === 5_000) break;
    }
  });
});

describe('columns', () => {
  const body = async (csv: string, mapping?: Record<string, string | null>) =>
    (await rowsOf(csv, CSV, { mapping })).map((row) => row.body);
  const refusal = async (csv: string, mapping?: Record<string, string | null>) => {
    const reading = await read(csv, CSV, { mapping });
    if ('rows' in reading) throw new Error('was read');
    return reading;
  };

  it('are dotted unified paths, lists included', async () => {
    const csv =
      'account.id,contact.0.id,contact.2.id,tags.0.id,tags.1.name,stage.id,owner.id,remote_data.A.B\nacc,c0,c2,,vip,s1,o1,deep\n';
    expect(await body(csv)).toEqual([
      {
        account: { id: 'acc' },
        contact: [{ id: 'c0' }, { id: 'c2' }],
        tags: [{ name: 'vip' }],
        stage: { id: 's1' },
        owner: { id: 'o1' },
        remote_data: { A: { B: 'deep' } },
      },
    ]);
  });

  it('are mapped, left out by null, and otherwise go by their own name', async () => {
    const mapping = { 'Deal Name': 'name', Value: 'amount', Owner: null, Extra: '', Ref: 'dedupe_key' };
    const csv = 'Deal Name,Value,Owner,Extra,Ref,currency\nOne,5,Ann,x, k-1 ,EUR\n';
    const [row] = await rowsOf(csv, CSV, { mapping });
    expect(row).toEqual({
      row: 1,
      line: 2,
      original: '["One","5","Ann","x","k-1","EUR"]',
      body: { name: 'One', amount: 5, currency: 'EUR' },
      dedupeKey: 'k-1',
      failures: [],
    });
  });

  it('that a mapping sends nowhere are refused with the nearest path', async () => {
    const { failures } = await refusal('Deal,b,amount\nx,y,1\n', { Deal: 'nmae', B: null, b: 'amount' });
    expect(failures).toMatchObject([
      { pointer: '/B', code: 'unknown_field', message: expect.stringContaining('did you mean "b"?') },
      { pointer: '/Deal', code: 'invalid_value', message: expect.stringContaining('did you mean "name"?') },
    ]);
  });

  it.each([
    ['name,Deal\na,b\n', { Deal: 'name' }, '/Deal'],
    ['remote_data.a,remote_data.a.b\na,b\n', undefined, '/remote_data.a.b'],
    ['custom_fields.a,custom_fields.a:number\na,1\n', undefined, '/custom_fields.a:number'],
    ['dedupe_key,Ref\na,b\n', { Ref: 'dedupe_key' }, '/Ref'],
  ])('that fill the same field are refused: %j', async (csv, mapping, pointer) => {
    expect((await refusal(csv, mapping)).failures).toMatchObject([{ pointer, code: 'repeated' }]);
  });

  it.each([
    ['account', 'account.id'],
    ['Stage', 'stage.name'],
    ['tag', 'tags.0.name'],
    ['Close Date', 'close_date'],
    ['CloseDate', 'close_date'],
    ['expected_date', 'close_date'],
    ['contact.id', 'contact.0.id'],
    ['Account_ID', 'account.id'],
    ['owner_id', 'owner.id'],
    ['custom_fields', 'custom_fields.NAME'],
    ['cf_abc123', 'custom_fields.cf_abc123'],
    ['DedupeKey', 'dedupe_key'],
    ['curency', 'currency'],
  ])('named %s hint at %s', async (column, path) => {
    const { failures } = await refusal(`${column}\nx\n`);
    expect(failures[0]?.message).toContain(`did you mean "${path}"?`);
  });

  it.each([
    'custom_fields.__proto__',
    'remote_data.constructor.x',
    'remote_data.a..b',
    'contact.100.id',
    'contact.01.id',
    'name.x',
    'amount:text',
    'toString',
  ])('%s is no path', async (column) => {
    expect((await refusal(`${column}\nx\n`)).failures).toHaveLength(1);
  });

  it('take a suffix that is no type as part of the name', async () => {
    expect(await body('custom_fields.Due:date\nx\n')).toEqual([{ custom_fields: { 'Due:date': 'x' } }]);
  });
});

describe('JSON records', () => {
  it('keep amounts exact to the 15th digit, wherever a mapping takes them from', async () => {
    const text = '{"Value":1234567890.12345,"n":"One"}\n{"Value":1234567890.1234567,"n":"Two"}\n';
    const rows = await rowsOf(text, NDJSON, { mapping: { Value: 'amount', n: 'name' } });
    expect(rows).toMatchObject([
      { body: { amount: 1234567890.12345, name: 'One' }, failures: [] },
      { failures: [{ pointer: '/amount', code: 'not_exact' }] },
    ]);
    expect(rows[1]?.original).toBe('{"Value":1234567890.1234567,"n":"Two"}');
  });

  it('are mapped key by key; other keys stay, for the schema to judge', async () => {
    const mapping = { id: 'dedupe_key', lead: 'account.id', who: 'contact.1.id', junk: null };
    const [row] = await rowsOf('[{"id":7,"lead":"l1","who":"c","junk":[1],"nmae":"x"}]', JSON_ARRAY, {
      mapping,
    });
    expect(row).toMatchObject({ dedupeKey: '7', failures: [] });
    expect(row?.body).toEqual({ account: { id: 'l1' }, contact: [{ id: 'c' }], nmae: 'x' });
  });

  it('with a mapping to nowhere are refused before the first row', async () => {
    expect(await read('{"a":1}', NDJSON, { mapping: { a: 'amuont' } })).toMatchObject({
      code: 'invalid_import',
      message: expect.stringContaining('did you mean "amount"?'),
    });
  });

  it.each([
    ['__proto__', '{"__proto__":{"x":1}}', 'unknown_field'],
    ['endless nesting', `{"custom_fields":{"a":${'['.repeat(50)}${']'.repeat(50)}}}`, 'too_deep'],
    [
      'nesting beyond any stack',
      `{"x":12345678901234567890,"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      'invalid_json',
    ],
  ])('with %s fail alone', async (_, bad, code) => {
    for (const mapping of [undefined, { Name: 'name' }]) {
      const rows = await rowsOf(`${bad}\n{"name":"Good"}\n`, NDJSON, { mapping });
      expect(rows[0]?.failures[0]?.code).toMatch(new RegExp(`${code}|invalid_json`));
      expect(() => JSON.parse(rows[0]?.original ?? '')).not.toThrow();
      expect(rows[1]).toMatchObject({ body: { name: 'Good' }, failures: [] });
    }
  });

  it('have dedupe keys as text or whole numbers of at most 255 characters', async () => {
    const keys = [' k ', 12, '', null, 1.5, 'x'.repeat(256), '\u0000'];
    const rows = await rowsOf(keys.map((key) => JSON.stringify({ dedupe_key: key })).join('\n'), NDJSON);
    expect(rows.map(({ dedupeKey, failures }) => dedupeKey ?? failures[0]?.code)).toEqual([
      'k',
      '12',
      undefined,
      undefined,
      'wrong_type',
      'too_large',
      'invalid_value',
    ]);
    expect(rows.every(({ body }) => body !== undefined && !('dedupe_key' in body))).toBe(true);
  });
});
