import { describe, expect, it } from 'vitest';
import type { AccountSettings } from '../../shared/domain/integrated-account.ts';
import type { BatchRow } from '../../shared/providers/batch-port.ts';
import type { AnsweredCall, Call } from '../../shared/providers/port.ts';
import { salesforceBatch as batch } from '../../shared/providers/salesforce/batch.ts';
import { salesforceBulk as bulk } from '../../shared/providers/salesforce/bulk.ts';
import { failureTable } from '../../shared/providers/salesforce/failures.ts';
import { readErrors } from '../../shared/providers/salesforce/provider-errors.ts';
import { anAnswer } from './salesforce-support.ts';

const SETTINGS: AccountSettings = { marker: { kind: 'external_id', field: 'Dealwright_Key__c' } };
const KEY = '01980000-0000-7000-8000-000000000000';
const ID = '006RO000004Kt7PYAS';

function aRow(body: Record<string, unknown> = { Name: 'Deal' }, key = KEY): BatchRow {
  const path = `/services/data/v62.0/sobjects/Opportunity/Dealwright_Key__c/${key}`;
  return {
    key,
    plan: { create: { method: 'PATCH', path, body, purpose: 'create' }, followUps: [], content: {} },
  };
}

function readOne(item: unknown, row = aRow()) {
  const reading = batch.read(anAnswer({ status: 200, body: [item] }), [row], batch.request([row], SETTINGS));
  return reading.kind === 'rows' ? reading.outcomes[0] : reading;
}

/** Failures that a result of a batch can name: they have a code and are told apart by it, not by a status of their own. */
const named = failureTable.filter(
  ({ sample: { status, body } }) => status === 400 && readErrors(body).length > 0,
);

describe('a row that failed means what its own call would have meant', () => {
  it('for most of the table', () => expect(named.length).toBeGreaterThan(20));

  it.each(named.map((row) => ({ ...row, name: row.id })))('in a batch: $name', (row) => {
    const errors = readErrors(row.sample.body).map(({ code, message, fields }) => ({
      statusCode: code,
      message,
      fields,
    }));
    expect(readOne({ success: false, created: false, errors })).toMatchObject({
      outcome: { kind: row.outcome, code: row.code, row: row.id },
    });
  });

  it.each(named.map((row) => ({ ...row, name: row.id })))('in a bulk job: $name', async (row) => {
    const text = readErrors(row.sample.body)
      .map(({ code, message, fields }) => `${code}:${message}:${fields.join(',')} --`)
      .join(';');
    const files: Record<string, string> = {
      successfulResults: '"sf__Id","sf__Created","Dealwright_Key__c"\n',
      failedResults: `"sf__Id","sf__Error","Dealwright_Key__c"\n"","${text.replaceAll('"', '""')}","${KEY}"\n`,
    };
    const call: Call = async ({ path }) =>
      anAnswer({ status: 200, body: files[path.split('/').at(-1) ?? ''] });
    const read = await bulk.results(call, SETTINGS, '750RO0000000001AAA', 'complete');
    expect(read.ok && read.value.outcomes.get(KEY)).toMatchObject({
      outcome: { kind: row.outcome, code: row.code, row: row.id },
    });
  });
});

describe('a row of which nobody says what became of it', () => {
  it.each([
    [
      'an exception',
      { success: false, errors: [{ statusCode: 'UNKNOWN_EXCEPTION', message: 'An unexpected error' }] },
    ],
    ['the machinery', { success: false, errors: [{ statusCode: 'InternalServerError', message: 'x' }] }],
    ['a failure without a reason', { success: false, errors: [] }],
    ['a success without an id', { success: true, errors: [] }],
  ])('is looked for: %s', (_, item) => {
    expect(readOne(item)).toMatchObject({ outcome: { kind: 'ambiguous' } });
  });
});

describe('the answer to a batch', () => {
  const rows = [aRow(), aRow({ Name: 'Other' }, KEY.replace(/0$/, '1'))];
  const request = batch.request(rows, SETTINGS);
  const whole = (answer: AnsweredCall) => batch.read(answer, rows, request);
  const written = { id: ID.slice(0, 15), success: true, errors: [], created: true };

  it('is one result a row, in order, whatever its status', () => {
    for (const status of [200, 201, 400]) {
      expect(whole(anAnswer({ status, body: [written, { ...written, created: false }] }))).toEqual({
        kind: 'rows',
        outcomes: [
          {
            created: true,
            outcome: { kind: 'written', remoteId: ID, answer: expect.anything(), httpStatus: 201 },
          },
          {
            created: false,
            outcome: { kind: 'written', remoteId: ID, answer: expect.anything(), httpStatus: 200 },
          },
        ],
      });
    }
  });

  it.each([
    ['one record', 201, written],
    ['a list of another length', 200, [written]],
    ['a list of something else', 200, ['ok', 'ok']],
    ['nothing', 200, undefined],
  ])('is unknown for all of them when it is %s', (_, status, body) => {
    expect(whole(anAnswer({ status, body }))).toMatchObject({
      kind: 'whole',
      failure: { kind: 'ambiguous' },
    });
  });

  it('names the field at the place of the whole call that a parser error gives', () => {
    const bad = aRow({ Name: 'x'.repeat(5_000), CloseDate: 'soon', Amount: 1 });
    const sent = batch.request([aRow(), bad], SETTINGS);
    const column = JSON.stringify(sent.body).indexOf('"soon"') + 1;
    const message = `Cannot deserialize instance of date from VALUE_STRING value soon or request may be missing a required field at [line:1, column:${column}]`;
    const failed = { success: false, errors: [{ statusCode: 'JSON_PARSER_ERROR', message, fields: [] }] };
    const reading = batch.read(anAnswer({ status: 200, body: [written, failed] }), [aRow(), bad], sent);
    expect(reading).toMatchObject({
      outcomes: [{}, { outcome: { kind: 'permanent', fields: [{ pointer: '/close_date' }] } }],
    });
  });

  it('cannot overwrite the key or the type with what the caller sent', () => {
    const row = aRow({ attributes: { type: 'Account' }, Name: 'Deal', Dealwright_Key__c: 'mine' });
    expect(batch.request([row], SETTINGS).body).toEqual({
      allOrNone: false,
      records: [{ attributes: { type: 'Opportunity' }, Name: 'Deal', Dealwright_Key__c: KEY }],
    });
  });
});

describe('the question for the keys of a batch', () => {
  const found = (records: unknown[], done = true) => {
    const body = { totalSize: records.length, done, records };
    const compositeResponse = [{ body, httpStatusCode: 200, httpHeaders: {}, referenceId: 'found' }];
    return batch.readFound(anAnswer({ status: 200, body: { compositeResponse } }), SETTINGS);
  };

  it('prefers a live record to a deleted one, and reads the key however the field is spelt', () => {
    const records = [
      { Id: '006RO000004Kt8P', IsDeleted: false, DEALWRIGHT_KEY__C: 'a' },
      { Id: '006RO000004Kt9P', IsDeleted: true, DEALWRIGHT_KEY__C: 'a' },
      { Id: '006RO000004Kt7P', IsDeleted: true, DEALWRIGHT_KEY__C: 'b' },
    ];
    expect(found(records)).toEqual(
      new Map([
        ['a', expect.stringMatching(/^006RO000004Kt8P/)],
        ['b', ID],
      ]),
    );
  });

  it('is not answered by a first page', () => {
    expect(found([], false)).toBeUndefined();
    expect(found([])).toEqual(new Map());
  });

  it('fits 200 keys into one call', () => {
    const keys = Array.from({ length: 200 }, (_, index) => KEY.slice(0, -3) + String(index).padStart(3, '0'));
    expect(Buffer.byteLength(JSON.stringify(batch.findRequest(keys, SETTINGS).body))).toBeLessThan(12_000);
  });
});
