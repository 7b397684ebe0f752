import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CSV, JSON_ARRAY, NDJSON, read } from './import-support.ts';

const FOLDER = new URL('../fixtures/imports/', import.meta.url);

/** `ROW@LINE`, the body, and each failure as `POINTER CODE`. */
type Row = [at: string, body: unknown, ...failures: string[]];
type Refusal = { code: string; says: RegExp[] };

const invalid = (...says: RegExp[]): Refusal => ({ code: 'invalid_import', says });
const tooLarge = (...says: RegExp[]): Refusal => ({ code: 'import_too_large', says });
const utf16 = invalid(/not UTF-8 but UTF-16/, /"CSV UTF-8"/, /iconv/);

/** What each ugly file gets: its rows, or the sentence that refuses it. */
const FILES: Record<string, Row[] | Refusal> = {
  // How spreadsheets write what is fine.
  'bom-crlf-quotes.csv': [
    [
      '1@2',
      {
        name: 'Müller, "Söhne"',
        description: 'first line\r\nsecond line',
        account: { id: 'acc_1' },
      },
    ],
    ['2@4', { name: 'Plain', account: { id: 'acc_2' } }],
  ],
  'semicolons.csv': [
    ['1@2', { name: 'Groß', close_date: '30.04.2026' }, '/amount wrong_type'],
    ['2@3', { name: 'Klein', amount: 1250.5, close_date: '2026-04-30' }],
  ],
  'tabs.csv': [
    ['1@2', { name: 'Tab one', account: { id: 'acc_1' }, amount: 5 }],
    ['2@3', { account: { id: 'acc_2' } }],
  ],
  'sep-line.csv': [['1@3', { name: 'With tags', tags: [{ name: 'second' }] }]],
  'classic-mac.csv': [
    ['1@2', { name: 'One', amount: 1 }],
    ['2@3', { name: 'Two\rlines', amount: 2 }],
    ['3@5', { name: 'Three', amount: 3 }],
  ],
  'mixed-line-ends.csv': [
    ['1@2', { name: 'One', amount: 1 }],
    ['2@3', { name: 'Two', amount: 2 }],
    ['3@4', { name: 'Three', amount: 3 }],
    ['4@6', { name: 'Four', amount: 4 }],
  ],
  'blank-lines.csv': [
    ['1@6', { name: 'One', amount: 1 }],
    ['2@9', { name: 'Two', amount: 2 }],
  ],
  'inner-quotes.csv': [['1@2', { name: '5" pipe', description: ' kept ', amount: 7 }]],
  'formulas.csv': [
    ['1@2', { name: '=HYPERLINK("http://evil")', description: '-5' }],
    ['2@3', { name: '+49 151 123', description: '@cmd' }],
  ],
  'twice.csv.gz': [['1@2', { name: 'Packed', amount: 1 }]],

  // What spoils a row only.
  'ragged.csv': [
    ['1@2', { name: 'Short', amount: 1 }, ' wrong_cell_count'],
    ['2@3', { name: 'Fits', amount: 2, currency: 'EUR' }],
    ['3@4', { name: 'Long', amount: 3, currency: 'EUR' }, ' wrong_cell_count'],
    ['4@5', { name: 'Trailing', amount: 4, currency: 'EUR' }],
  ],
  'amounts.csv': [
    ['1@2', { name: 'plain', amount: 1250.5 }],
    ['2@3', { name: 'zero', amount: 0 }],
    ['3@4', { name: 'huge', amount: 123_456_789_012_345 }],
    ['4@5', { name: 'padded', amount: 12 }],
    ['5@6', { name: 'comma' }, '/amount wrong_type'],
    ['6@7', { name: 'currency' }, '/amount wrong_type'],
    ['7@8', { name: 'exponent' }, '/amount wrong_type'],
    ['8@9', { name: 'negative', amount: -5 }],
    ['9@10', { name: 'digits' }, '/amount not_exact'],
    ['10@11', { name: 'text' }, '/amount wrong_type'],
  ],
  'typed-custom-fields.csv': [
    [
      '1@2',
      {
        name: 'Good',
        custom_fields: {
          Score__c: 12.5,
          Hot__c: true,
          Tags__c: ['a', 1],
          Zip__c: '00123',
          'a.b': 'dots',
        },
        remote_data: { Nested: { Key: 'deep' } },
      },
    ],
    [
      '2@3',
      { name: 'Bad', custom_fields: { Zip__c: '00123' } },
      '/custom_fields/Score__c wrong_type',
      '/custom_fields/Hot__c wrong_type',
      '/custom_fields/Tags__c invalid_json',
    ],
  ],
  'spreadsheet-errors.csv': [
    ['1@2', { stage: { name: '#1 priority' } }, '/name invalid_value', '/amount invalid_value'],
  ],
  // Refused by the schema of a create, like any other value.
  'nul.csv': [['1@2', { name: 'With\u0000nul', amount: 1 }]],
  'bad-lines.ndjson': [
    ['1@1', { name: 'One', amount: 1 }],
    ['2@2', undefined, ' invalid_json'],
    ['3@4', undefined, ' wrong_type'],
    ['4@5', { name: 'Three' }],
    ['5@6', undefined, ' wrong_type'],
    ['6@7', undefined, '/amount not_exact'],
    ['7@8', { name: 'Five' }, '/dedupe_key wrong_type'],
    ['8@9', undefined, ' invalid_json'],
  ],
  'array.json': [
    ['1@3', { name: 'One ] } " [', amount: 1.5 }],
    ['2@6', undefined, ' wrong_type'],
    ['3@7', undefined, ' invalid_json'],
    ['4@8', undefined, ' wrong_type'],
    ['5@9', { name: '\\', custom_fields: { a: [1, { b: ']' }] } }],
  ],

  // What spoils the whole.
  'utf16le.csv': utf16,
  'utf16be-without-mark.csv': utf16,
  'windows-1252.csv': invalid(/^Line 3 is not UTF-8/, /Windows-1252/, /"CSV UTF-8"/),
  'cut-in-character.csv': invalid(/^Line 2 is not UTF-8/),
  'workbook.xlsx': invalid(/Excel workbook/, /Save the sheet as "CSV UTF-8"/),
  'truncated.csv.gz': invalid(/gzip body ends too early/),
  'empty.csv': invalid(/empty/, /first line must name the columns/),
  'header-only.csv': invalid(/no rows/),
  'duplicate-headers.csv': invalid(
    /"name" is the name of columns 1 and 3/,
    /"Amount" is no unified path; did you mean "amount"\?/,
  ),
  'nameless-column.csv': invalid(/column 2 has no name/),
  'foreign-headers.csv': invalid(
    /"Deal Name" is no unified path\. Rename the column, or send mapping=\{"Deal Name":null\}/,
    /"StageName" .* did you mean "stage\.name"\?/,
    /mapping=\{"Lead ID":"account\.id"\}/,
    /"contacts" .* did you mean "contact\.0\.id"\?/,
    /"Region__c" .* did you mean "custom_fields\.Region__c"\?/,
    /"Notes" is no unified path/,
  ),
  'unclosed-quote.csv': invalid(/^Row 2, which starts on line 3, opens a quote that is never closed/),
  'text-after-quote.csv': invalid(/^Row 2, which starts on line 3,/, /written twice/),
  'long-row.csv': tooLarge(/^Row 1, which starts on line 2, is larger than 2000 bytes/),
  'separators-only.csv': tooLarge(/^Row 1, which starts on line 2, is larger than 2000 bytes/),
  'pretty.ndjson': invalid(/this object spans lines/, /jq -c/),
  'array.ndjson': invalid(/an array is sent as application\/json/),
  'object.json': invalid(/starts with an object/, /application\/x-ndjson/),
  'cut-off.json': invalid(/ends too early in or behind row 2, which starts on line 2/),
  'missing-comma.json': invalid(/broken on line 2, after 1 rows: "\{" does not belong there/),
  'trailing-comma.json': invalid(/broken on line 1, after 1 rows: "\]" does not belong there/),
  'empty.json': invalid(/no rows/),
};

const typeOf = (file: string) =>
  file.endsWith('.ndjson') ? NDJSON : file.endsWith('.json') ? JSON_ARRAY : CSV;

describe('ugly files', () => {
  it('are all in the table', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(FILES).sort());
  });

  it.each(Object.entries(FILES))(
    '%s gets what the table says, in pieces of any size',
    async (file, wanted) => {
      const bytes = readFileSync(new URL(file, FOLDER));
      for (const pieces of [[], [1], [2], [7, 1, 64]]) {
        const reading = await read(bytes, typeOf(file), { pieces, limits: { rowBytesMax: 2_000 } });
        if (Array.isArray(wanted)) {
          if (!('rows' in reading)) throw new Error(reading.message);
          const rows = reading.rows.map(({ row, line, body, failures }) => [
            `${row}@${line}`,
            body,
            ...failures.map(({ pointer, code }) => `${pointer} ${code}`),
          ]);
          expect(rows).toEqual(wanted);
        } else {
          if ('rows' in reading) throw new Error('was read');
          expect(reading.code).toBe(wanted.code);
          const said = [reading.message, ...reading.failures.map(({ message }) => message)].join('\n');
          for (const sentence of wanted.says) expect(said).toMatch(sentence);
        }
      }
    },
  );
});
