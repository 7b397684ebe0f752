import { RestFailure, type SalesforceError } from '../errors.ts';
import type { RestCall } from '../rest.ts';
import type { SObject } from '../schema/org.ts';
import { bodyOf } from '../sobjects.ts';
import { isPlainObject } from '../write/parse.ts';

const recordsMax = 200;
const chunksMax = 10;

/** One record of the list with its object, or why it has none. */
export type Row = { object: SObject; fields: Record<string, unknown> } | { error: SalesforceError };

/** The records of the body with their objects; a list that is no list fails the whole call. */
export function rowsOf(call: RestCall, only: SObject | undefined): Row[] {
  const { records } = bodyOf(call);
  if (!Array.isArray(records) || records.length === 0) {
    throw new RestFailure({
      code: 'REQUIRED_FIELD_MISSING',
      message: 'At least 1 record is required',
      fields: [],
    });
  }
  if (records.length > recordsMax) {
    const message = `record limit reached. cannot submit more than ${recordsMax} records into this call`;
    throw new RestFailure({ code: 'EXCEEDED_ID_LIMIT', message, fields: [] });
  }
  const rows = records.map((record: unknown) => rowOf(call, record, only));
  requireFewChunks(rows);
  return rows;
}

function rowOf(call: RestCall, record: unknown, only: SObject | undefined): Row {
  const fields = isPlainObject(record) ? record : {};
  const type = isPlainObject(fields.attributes) ? fields.attributes.type : undefined;
  if (typeof type !== 'string') {
    const message =
      'The value of the attributes.type field must be the name of an sObject [line:1, column:1]';
    return { error: { code: 'JSON_PARSER_ERROR', message, fields: [] } };
  }
  const object = call.context.org.object(type);
  if (object === undefined || (only !== undefined && object !== only)) {
    return {
      error: { code: 'INVALID_TYPE', message: `sObject type '${type}' is not supported.`, fields: [] },
    };
  }
  return { object, fields };
}

function requireFewChunks(rows: Row[]): void {
  let chunks = 0;
  let last: SObject | undefined;
  for (const row of rows) {
    if ('error' in row || row.object === last) continue;
    last = row.object;
    chunks += 1;
  }
  if (chunks <= chunksMax) return;
  const message = `Cannot have more than ${chunksMax} chunks in a single operation. Please rearrange the data to reduce chunking.`;
  throw new RestFailure({ code: 'INVALID_BATCH_SIZE', message, fields: [] });
}
