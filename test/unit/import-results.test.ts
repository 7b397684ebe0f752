import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvCell } from '../../shared/imports/csv-cell.ts';
import { type ResultRow, writeResults } from '../../shared/imports/write-results.ts';

const aRow = (overrides: Partial<ResultRow>): ResultRow => ({
  original: '{}',
  row: 1,
  line: 2,
  status: 'succeeded',
  remote_id: '006000000000001',
  code: null,
  message: null,
  pointer: null,
  ...overrides,
});

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}

async function write(format: 'csv' | 'ndjson', columns: string[] | undefined, rows: Iterable<ResultRow>) {
  let text = '';
  for await (const piece of writeResults(format, columns, each(rows))) text += piece;
  return text;
}

const cells = (text: string): string[][] => parse(text, { relax_column_count: true });
const objects = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const failed = aRow({
  status: 'failed',
  remote_id: null,
  code: 'wrong_type',
  message: '/amount: must be a plain number, not "x"',
  pointer: '/amount',
});
const FACTS = 'row,line,status,remote_id,code,message,pointer';

describe('results of a CSV import', () => {
  const columns = ['name', 'amount'];
  const rows = [
    aRow({ original: '["One, \\"quoted\\"","1.50"]' }),
    { ...failed, original: '["Two","x","extra"]', row: 2, line: 3 },
    { ...failed, original: '["Short"]', row: 3, line: 4 },
  ];

  it('as CSV are its columns, then what became of each row', async () => {
    const text = await write('csv', columns, rows);
    expect(text.split('\r\n')[0]).toBe(`name,amount,${FACTS}`);
    expect(cells(text).slice(1)).toEqual([
      ['One, "quoted"', '1.50', '1', '2', 'succeeded', '006000000000001', '', '', ''],
      ['Two', 'x', '2', '3', 'failed', '', 'wrong_type', failed.message, '/amount'],
      ['Short', '', '3', '4', 'failed', '', 'wrong_type', failed.message, '/amount'],
    ]);
  });

  it('as NDJSON are objects by column; a cell behind the last column is not lost', async () => {
    const [one, two, short] = objects(await write('ndjson', columns, rows));
    expect(one).toEqual({
      name: 'One, "quoted"',
      amount: '1.50',
      row: 1,
      line: 2,
      status: 'succeeded',
      remote_id: '006000000000001',
      code: null,
      message: null,
      pointer: null,
    });
    expect(two).toMatchObject({ name: 'Two', import_more: ['extra'], pointer: '/amount' });
    expect(short).toMatchObject({ name: 'Short', amount: '' });
  });

  it('call a fact of ours import_… where a column has its name', async () => {
    const clashing = ['status', 'import_status', 'row', ''];
    const row = aRow({ original: '["open","x","7","nameless"]' });
    expect((await write('csv', clashing, [row])).split('\r\n')[0]).toBe(
      'status,import_status,row,,import_row,line,import_import_status,remote_id,code,message,pointer',
    );
    expect(objects(await write('ndjson', clashing, [row]))[0]).toMatchObject({
      status: 'open',
      row: '7',
      column_4: 'nameless',
      import_row: 1,
      import_import_status: 'succeeded',
    });
  });

  it('have a header even without rows', async () => {
    expect(await write('csv', columns, [])).toBe(`name,amount,${FACTS}\r\n`);
    expect(await write('ndjson', columns, [])).toBe('');
  });
});

describe('results of a JSON import', () => {
  it('as NDJSON keep the record to the last digit, whatever it is', async () => {
    const text = await write('ndjson', undefined, [
      aRow({ original: '{"amount":1.50,"custom_fields":{"big":12345678901234567890}}' }),
      aRow({ original: '{ }', row: 2 }),
      aRow({ original: '{"status":"mine","nested":{"line":1}}', row: 3 }),
      aRow({ original: '[1,2]', row: 4 }),
      aRow({ original: '"{\\"broken\\":"', row: 5 }),
    ]);
    expect(text).toContain('{"amount":1.50,"custom_fields":{"big":12345678901234567890},"row":1,');
    const [, empty, clashing, array, broken] = objects(text);
    expect(Object.keys(empty)).toEqual(FACTS.split(','));
    expect(clashing).toMatchObject({ status: 'mine', import_status: 'succeeded', line: 2 });
    expect(array).toMatchObject({ record: [1, 2], row: 4 });
    expect(broken).toMatchObject({ record: '{"broken":', row: 5 });
  });

  it('as CSV are flattened; what comes up late is not lost', async () => {
    function* rows() {
      yield aRow({ original: '{"name":"One","contact":[{"id":"c1"}],"amount":1.50,"x":null,"tags":[]}' });
      yield aRow({ original: '7', row: 2 });
      for (let row = 3; row <= 1_000; row++) yield aRow({ original: '{"name":"n"}', row });
      yield aRow({ original: '{"name":"Late","stage":{"name":"Won"}}', row: 1_001 });
    }
    const [header, one, seven, ...rest] = cells(await write('csv', undefined, rows()));
    expect(header?.join()).toBe(`name,contact.0.id,amount,x,tags,record,import_more,${FACTS}`);
    expect(one?.slice(0, 7)).toEqual(['One', 'c1', '1.50', '', '[]', '', '']);
    expect(seven?.slice(0, 7)).toEqual(['', '', '', '', '', '7', '']);
    expect(rest).toHaveLength(999);
    expect(rest.at(-1)?.slice(0, 8)).toEqual(['Late', '', '', '', '', '', '{"stage.name":"Won"}', '1001']);
  });

  it('end the source when the reader goes away', async () => {
    for (const format of ['csv', 'ndjson'] as const) {
      let isEnded = false;
      async function* endless() {
        try {
          for (;;) yield aRow({ original: `{"name":"${'x'.repeat(100)}"}` });
        } finally {
          isEnded = true;
        }
      }
      for await (const piece of writeResults(format, undefined, endless())) {
        expect(piece.length).toBeLessThan(40_000);
        break;
      }
      expect(isEnded).toBe(true);
    }
  });
});

describe('a cell', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+49 151', "'+49 151"],
    ['-', "'-"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', '"\'\r=1"'],
    ['＝1', "'＝1"],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ['-5', '-5'],
    ['+5', '+5'],
    ['-1,250.50', '"-1,250.50"'],
    ['-1.250,50', '"-1.250,50"'],
    ['-1.5E-7', '-1.5E-7'],
    ['a=b', 'a=b'],
    [' x', '" x"'],
  ])('%j is written as %j', (value, written) => {
    expect(csvCell(value)).toBe(written);
  });

  it('is read back as it was, or with one apostrophe in front of a formula', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 4 }), (values) => {
        const [read] = cells(`${values.map(csvCell).join(',')}\r\n`);
        values.forEach((value, at) => {
          expect([value, `'${value}`]).toContain(read?.[at]);
          expect(/^[=@]/.test(read?.[at] ?? '')).toBe(false);
        });
      }),
    );
  });
});
