import { RestFailure } from '../errors.ts';
import { makeId } from '../ids.ts';
import { ok, type RestCall, type RestReply } from '../rest.ts';
import { requireMethod } from '../sobjects.ts';
import { type QueryResult, runQuery } from './run.ts';

const pageRowsMax = 2_000;
const pageRowsMin = 200;
// Source: Salesforce App Limits Cheatsheet, SOQL and SOSL Limits: cursors live two days.
const cursorLifeMs = 2 * 86_400_000;
// The real org keeps ten per user; a sandbox with many clients keeps more, but not all.
const cursorsMax = 1_000;

type Cursor = { result: QueryResult; expiresAtMs: number; pageRows: number };

/** `/query`, `/queryAll` and the pages after the first. Source: REST API, Query. */
export function createQueryResource() {
  const cursors = new Map<string, Cursor>();
  let lastCursor = 0;

  function remember(cursor: Cursor): string {
    lastCursor += 1;
    const locator = makeId('01g', lastCursor);
    cursors.set(locator, cursor);
    const oldest = cursors.keys().next();
    if (cursors.size > cursorsMax && !oldest.done) cursors.delete(oldest.value);
    return locator;
  }

  function page(call: RestCall, cursor: Cursor, from: number, locator: string | undefined): RestReply {
    const { result, pageRows } = cursor;
    const until = Math.min(from + pageRows, result.records.length);
    const done = until >= result.records.length;
    const head = { totalSize: result.totalSize, done };
    const records = result.records.slice(from, until).map(result.render);
    if (done) return ok({ ...head, records });
    const next = locator ?? remember(cursor);
    const resource = call.segments[0] ?? 'query';
    // Server-relative, version included: followed as it is.
    const nextRecordsUrl = `/services/data/v${call.version}/${resource}/${next}-${until}`;
    return ok({ ...head, nextRecordsUrl, records });
  }

  return function handleQuery(call: RestCall): RestReply {
    requireMethod(call, ['GET', 'HEAD']);
    const [resource, locator] = call.segments;
    const { nowMs } = call.context;
    if (locator !== undefined && locator !== '') {
      const [id = '', offset] = locator.split('-');
      const cursor = cursors.get(id);
      if (cursor === undefined || cursor.expiresAtMs <= nowMs()) throw invalidLocator();
      return page(call, cursor, Number(offset ?? 0), id);
    }
    const text = call.query.get('q');
    if (text === null) {
      const message = 'A query string has to be specified';
      throw new RestFailure({ code: 'MALFORMED_QUERY', message });
    }
    const includeDeleted = resource === 'queryAll';
    const result = runQuery(text, call.context, { includeDeleted, version: call.version });
    const cursor = { result, expiresAtMs: nowMs() + cursorLifeMs, pageRows: pageRowsOf(call) };
    return page(call, cursor, 0, undefined);
  };
}

/** A hint the org may round. Source: REST API, Query Options Header. */
function pageRowsOf(call: RestCall): number {
  const match = /batchSize\s*=\s*(\d+)/i.exec(String(call.headers['sforce-query-options'] ?? ''));
  if (match === null) return pageRowsMax;
  return Math.min(pageRowsMax, Math.max(pageRowsMin, Number(match[1])));
}

function invalidLocator(): RestFailure {
  return new RestFailure({ code: 'INVALID_QUERY_LOCATOR', message: 'invalid query locator' });
}
