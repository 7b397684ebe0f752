import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountSettings } from '../../shared/domain/integrated-account.ts';
import type { BatchRow } from '../../shared/providers/batch-port.ts';
import { batches } from '../../shared/providers/batches.ts';
import { bulkClients } from '../../shared/providers/bulk-clients.ts';
import { bulkPays } from '../../shared/providers/bulk-pays.ts';
import { bulkPollDelayMs } from '../../shared/providers/bulk-steps.ts';
import { salesforceBulk } from '../../shared/providers/salesforce/bulk.ts';
import { FILE_BYTES_MAX } from '../../shared/providers/salesforce/bulk-file.ts';
import { readRowErrors } from '../../shared/providers/salesforce/bulk-results.ts';
import { readCsv } from '../../shared/providers/salesforce/csv-reader.ts';

const SETTINGS: AccountSettings = { marker: { kind: 'external_id', field: 'Key__c' } };

function aRow(key: string, body: unknown): BatchRow {
  const path = `/services/data/v62.0/sobjects/Opportunity/Key__c/${key}`;
  return {
    key,
    plan: { create: { method: 'PATCH', path, body, purpose: 'create' }, followUps: [], content: {} },
  };
}

function fileOf(bodies: unknown[]): { text: string; taken: number } {
  const file = salesforceBulk.newFile(SETTINGS);
  bodies.every((body, index) => file.add(aRow(`k${index}`, body)));
  return { text: file.text(), taken: file.rows() };
}

describe('the file of a bulk job', () => {
  it('has a column for each field of any row, the key first', () => {
    const { text, taken } = fileOf([
      { Name: 'A', Amount: 12.5, Region__c: null },
      { name: 'B', Renewal__c: false, Account: { Key__c: 'X,1' } },
      { Name: '', Segments__c: 'A;B' },
    ]);
    expect(text).toBe(
      'Key__c,Name,Amount,Region__c,Renewal__c,Account.Key__c,Segments__c\n' +
        'k0,A,12.5,#N/A,,,\n' +
        'k1,B,,,false,"X,1",\n' +
        'k2,#N/A,,,,,A;B\n',
    );
    expect(taken).toBe(3);
  });

  it('reads back as what was said, whatever the text', () => {
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((value) => salesforceBulk.canCarry(aRow('k', { value }).plan));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (names) => {
        const rows = [...readCsv(fileOf(names.map((Name) => ({ Name, Type: 'x' }))).text)];
        expect(rows.slice(1)).toEqual(
          names.map((name, index) => [`k${index}`, name === '' ? '#N/A' : name, 'x']),
        );
      }),
    );
  });

  it('takes as many rows as fit, from the first on', () => {
    const description = 'x'.repeat(30_000);
    const { text, taken } = fileOf(Array.from({ length: 300 }, () => ({ Description: description })));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(FILE_BYTES_MAX);
    expect(taken).toBeGreaterThan(270);
    expect(taken).toBeLessThan(300);
    expect(text.split('\n')).toHaveLength(taken + 2);
  });

  it.each([
    ['the word for null', { Name: '#N/A' }],
    ['a carriage return', { Name: 'a\r\nb' }],
    ['more than a cell holds', { Notes__c: 'x'.repeat(32_001) }],
    ['an object of several fields', { Account: { A__c: '1', B__c: '2' } }],
    ['an object in an object', { Account: { A__c: { B__c: '2' } } }],
    ['a list', { Tags__c: ['a'] }],
    ['a name that is no column', { 'A,B': 'x' }],
    ['a field that is set at creation only', { CreatedDate: '2026-01-01T00:00:00Z' }],
  ])('cannot say %s', (_, body) => {
    expect(salesforceBulk.canCarry(aRow('k', body).plan)).toBe(false);
  });
});

describe('a result file', () => {
  it.each([
    [
      '"a","b"\n"1","2"\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      '\uFEFFa,b\r\n1,\r\n',
      [
        ['a', 'b'],
        ['1', ''],
      ],
    ],
    [
      'a,b\n"say ""x"",\n twice",2',
      [
        ['a', 'b'],
        ['say "x",\n twice', '2'],
      ],
    ],
    [
      'a,b\n1,',
      [
        ['a', 'b'],
        ['1', ''],
      ],
    ],
    ['a\n\n1\n', [['a'], ['1']]],
    ['', []],
    ['a,b\n"never closed', [['a', 'b'], ['never closed']]],
  ])('%j has the rows it has', (text, rows) => {
    expect([...readCsv(text)]).toEqual(rows);
  });

  it.each([
    [
      'REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --',
      [
        {
          statusCode: 'REQUIRED_FIELD_MISSING',
          message: 'Required fields are missing: [Name]',
          fields: ['Name'],
        },
      ],
    ],
    [
      'UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: 001RO00000Abcde:--',
      [
        {
          statusCode: 'UNABLE_TO_LOCK_ROW',
          message: 'unable to obtain exclusive access to this record or 1 records: 001RO00000Abcde',
          fields: [],
        },
      ],
    ],
    [
      'FIELD_CUSTOM_VALIDATION_EXCEPTION:Too late; ask: the boss:CloseDate, Amount --;STRING_TOO_LONG:Name: data value too large: x (max length=120):Name --',
      [
        {
          statusCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
          message: 'Too late; ask: the boss',
          fields: ['CloseDate', 'Amount'],
        },
        {
          statusCode: 'STRING_TOO_LONG',
          message: 'Name: data value too large: x (max length=120)',
          fields: ['Name'],
        },
      ],
    ],
    [
      'InternalServerError:We stumbled',
      [{ statusCode: 'InternalServerError', message: 'We stumbled', fields: [] }],
    ],
    ['something new', []],
    ['', []],
  ])('gives %j as errors', (text, errors) => {
    expect(readRowErrors(text)).toEqual(errors);
  });

  it('is read in a moment, however odd the error', () => {
    const odd = `CODE:${'a'.repeat(20_000)}:${'Name'.repeat(5_000)}, !--`;
    const beganMs = performance.now();
    expect(readRowErrors(odd)).toHaveLength(1);
    expect(performance.now() - beganMs).toBeLessThan(1_000);
  });
});

describe('bulk or batches', () => {
  const ask = (rows: number, daily?: { used: number; max: number }, reservePercent = 0) =>
    bulkPays({ rows, rowsPerBatch: 200, rowsPerJob: 10_000, daily, reservePercent });

  it.each([
    ['few rows, whatever is left', ask(1_999, { used: 14_990, max: 15_000 }), false],
    ['many rows, much left', ask(100_000, { used: 0, max: 100_000 }), false],
    ['many rows, little left', ask(100_000, { used: 96_000, max: 100_000 }), true],
    ['many rows, little left beside the reserve', ask(100_000, { used: 0, max: 15_000 }, 80), true],
    ['more rows than calls for any way', ask(100_000, { used: 15_000, max: 15_000 }), true],
    ['so few that a job costs as much', ask(2_000, { used: 15_000, max: 15_000 }), false],
    ['nothing known of the day', ask(100_000), false],
  ])('%s', (_, pays, expected) => {
    expect(pays).toBe(expected);
  });

  it('asks for a job less and less often, at least once a minute', () => {
    const delays = Array.from({ length: 20 }, (_, polls) => bulkPollDelayMs(polls));
    expect(delays).toEqual(delays.toSorted((left, right) => left - right));
    expect([delays[0], delays.at(-1)]).toEqual([1_000, 60_000]);
  });

  it('exists only where rows that a job leaves can travel in batches', () => {
    const providers = Object.keys(bulkClients);
    expect(providers.length).toBeGreaterThan(0);
    expect(Object.keys(batches)).toEqual(expect.arrayContaining(providers));
  });
});
