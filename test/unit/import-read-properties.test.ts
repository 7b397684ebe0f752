import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CSV, JSON_ARRAY, NDJSON, read, rowsOf } from './import-support.ts';

const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 });
const BLANKS = /^\s|\s$/;

/** A cell as some program would write it: in quotes where it must be, or always. */
function cellText(cell: string, delimiter: string, always: boolean): string {
  const must = always || BLANKS.test(cell) || /["\r\n]/.test(cell) || cell.includes(delimiter);
  return must ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const lineEnds = (text: string) => text.match(/\r\n|\n|\r/g)?.length ?? 0;

describe('reading', () => {
  it('gives the cells that were written, each with its line, however they were quoted, separated and cut', async () => {
    const file = fc.record({
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      mark: fc.constantFrom('', '\uFEFF'),
      isPacked: fc.boolean(),
      blankLines: fc.array(fc.nat(2), { maxLength: 3 }),
      rows: fc.array(
        fc.tuple(
          fc.array(
            fc.string({
              unit: fc.oneof(
                fc.constantFrom(',', ';', '\t', '|', '"', '\n', '\r', ' ', 'ä', '😀'),
                fc.string({ minLength: 1, maxLength: 1 }),
              ),
            }),
            {
              minLength: 3,
              maxLength: 3,
            },
          ),
          fc.boolean(),
        ),
        { minLength: 1, maxLength: 8 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        file,
        pieces,
        async ({ delimiter, lineEnd, mark, isPacked, blankLines, rows }, cuts) => {
          const given = rows.filter(([cells]) => cells.some((cell) => cell.trim() !== ''));
          fc.pre(given.length > 0);
          let text = `${['name', 'description', 'custom_fields.x'].join(delimiter)}${lineEnd}`;
          const expected = given.map(([cells, always], at) => {
            text += lineEnd.repeat(blankLines[at % Math.max(1, blankLines.length)] ?? 0);
            const line = 1 + lineEnds(text);
            text += cells.map((cell) => cellText(cell, delimiter, always)).join(delimiter) + lineEnd;
            return { row: at + 1, line, cells };
          });
          const bytes = Buffer.from(mark + text);
          const read = await rowsOf(isPacked ? gzipSync(bytes) : bytes, CSV, { pieces: cuts });
          expect(read.map(({ row, line, original }) => ({ row, line, cells: JSON.parse(original) }))).toEqual(
            expected,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  const record = fc.record(
    {
      name: fc.string({ unit: 'grapheme' }),
      amount: fc.integer({ min: 0, max: 1_000_000 }),
      custom_fields: fc.dictionary(fc.constantFrom('a', 'b', ']', '"'), fc.jsonValue({ maxDepth: 2 }), {
        maxKeys: 3,
      }),
    },
    { requiredKeys: ['name'] },
  );

  it('gives the records that were written as NDJSON or as an array, pretty or not, however they were cut', async () => {
    const records = fc.array(record, { minLength: 1, maxLength: 8 });
    const indent = fc.constantFrom(0, 2, '\t');
    await fc.assert(
      fc.asyncProperty(
        records,
        indent,
        fc.constantFrom('\n', '\r\n'),
        pieces,
        async (given, space, lineEnd, cuts) => {
          const wanted = given.map((each) => JSON.parse(JSON.stringify(each)));
          const lines = await rowsOf(given.map((each) => JSON.stringify(each)).join(lineEnd), NDJSON, {
            pieces: cuts,
          });
          const array = await rowsOf(JSON.stringify(given, null, space), JSON_ARRAY, { pieces: cuts });
          for (const rows of [lines, array]) {
            // A key such as __proto__ deep in a custom field is a failure of its row.
            rows.forEach((row, at) => {
              if (row.failures.length === 0) expect(row.body).toEqual(wanted[at]);
              expect(JSON.parse(row.original)).toEqual(wanted[at]);
            });
            expect(rows.map(({ row }) => row)).toEqual(given.map((_, at) => at + 1));
          }
          expect(lines.map(({ line }) => line)).toEqual(given.map((_, at) => at + 1));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives the same of damaged files wherever they are cut, and never breaks', async () => {
    const folder = new URL('../fixtures/imports/', import.meta.url);
    const files = readdirSync(folder).map((file) => readFileSync(new URL(file, folder)));
    const damage = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.constantFrom(0x22, 0x0a, 0x0d, 0x2c, 0x00, 0xff, 0x5b, 0x5d, 0x7b, 0x7d, 0x5c),
    });
    const types = fc.constantFrom(CSV, NDJSON, JSON_ARRAY);
    await fc.assert(
      fc.asyncProperty(damage, types, pieces, async ({ file, at, byte }, type, cuts) => {
        const bytes = Buffer.from(file);
        if (bytes.length > 0) bytes[Math.floor(at * bytes.length)] = byte;
        const options = { limits: { rowBytesMax: 500 } };
        const [whole, cut] = [
          await read(bytes, type, options),
          await read(bytes, type, { ...options, pieces: cuts }),
        ];
        if ('rows' in whole) expect(cut).toEqual(whole);
        // Of two faults the one found first depends on how far it was read.
        else expect('rows' in cut).toBe(false);
      }),
      { numRuns: 400 },
    );
  });
});
