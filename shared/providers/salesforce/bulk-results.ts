import type { BatchRowOutcome } from '../batch-port.ts';
import type { AnsweredCall, ProviderRequest } from '../port.ts';
import { judgeErrors } from './batch-results.ts';
import { readCsv } from './csv-reader.ts';
import { classify } from './failures.ts';

/** A result file: the column names, each row by them, and which of them is our key. */
type ResultRow = { key: string; cell: (column: string) => string; fields: Record<string, string> };

/** Rows of a result file that carry a key of ours. */
function* readRows(answer: AnsweredCall, keyColumn: string): Generator<ResultRow> {
  const rows = readCsv(typeof answer.body === 'string' ? answer.body : '');
  const header = rows.next();
  if (header.done) return;
  const columns = header.value;
  const placeOf = (wanted: string): number =>
    columns.findIndex((column) => column.toLowerCase() === wanted.toLowerCase());
  const keyPlace = placeOf(keyColumn);
  for (const cells of rows) {
    const key = cells[keyPlace];
    if (key === undefined || key === '') continue;
    yield {
      key,
      cell: (column) => cells[placeOf(column)] ?? '',
      get fields() {
        return Object.fromEntries(columns.map((column, place) => [column, cells[place] ?? '']));
      },
    };
  }
}

/** The call that would have written this row alone, for what its errors name. */
type OwnRequest = (key: string, fields: Record<string, string>) => ProviderRequest;

/**
 * `successfulResults`: key → written.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_successful_results.htm
 */
export function* readWritten(
  answer: AnsweredCall,
  keyColumn: string,
  own: OwnRequest,
): Generator<[string, BatchRowOutcome]> {
  for (const { key, cell } of readRows(answer, keyColumn)) {
    const created = cell('sf__Created').toLowerCase() === 'true';
    const body = { id: cell('sf__Id'), success: true, errors: [], created };
    const outcome = classify({ ...answer, status: created ? 201 : 200, body }, own(key, {}));
    yield [key, { outcome, created }];
  }
}

/**
 * `failedResults`: key → why not.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_failed_results.htm
 */
export function* readRefused(
  answer: AnsweredCall,
  keyColumn: string,
  own: OwnRequest,
): Generator<[string, BatchRowOutcome]> {
  for (const { key, cell, fields } of readRows(answer, keyColumn)) {
    const errors = readRowErrors(cell('sf__Error'));
    yield [key, { outcome: judgeErrors(answer, own(key, fields), errors) }];
  }
}

/** `unprocessedrecords`: the keys. */
export function* readUnprocessed(answer: AnsweredCall, keyColumn: string): Generator<string> {
  for (const { key } of readRows(answer, keyColumn)) yield key;
}

type RowError = { statusCode: string; message: string; fields: string[] };

/**
 * `REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --`, several of them joined by ";". A text of another
 * form gives no error, which is then an outcome nobody knows.
 */
export function readRowErrors(text: string): RowError[] {
  return text.split(/(?<=--);\s*(?=[A-Za-z][A-Za-z0-9_]*:)/).flatMap((part) => {
    const error = /^([A-Za-z][A-Za-z0-9_]*):(.*?)(?:--)?\s*$/s.exec(part);
    if (error === null) return [];
    const [, statusCode = '', rest = ''] = error;
    const tail = /^(.*):\s*([A-Za-z][\w.]*(?:,\s*[A-Za-z][\w.]*)*)?\s*$/s.exec(rest);
    const [, message = rest, names = ''] = tail ?? [];
    const fields = names.split(/,\s*/).filter((name) => name !== '');
    return [{ statusCode, message: message.trim(), fields }];
  });
}
