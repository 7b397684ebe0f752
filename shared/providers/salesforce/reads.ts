/** Reading from Salesforce through a `Call`, parsed. */
import type { z } from 'zod';
import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { AnsweredCall, Call, CallPurpose, CallResult, Looked } from '../port.ts';
import { readAs } from '../read-call.ts';
import { dataPath } from './paths.ts';
import { CompositeAnswer, queryAnswer } from './responses.ts';

/** A failed read. */
export function notLooked(result: CallResult): { ok: false; result: CallResult } {
  return { ok: false, result };
}

/** A composite answer that leaves one of its parts out. */
export function noPart(url: string): CallResult {
  const message = `Salesforce left ${url} out of its composite answer`;
  return { kind: 'unanswered', code: 'provider_bad_answer', message };
}

/** An answer whose body is not what the documentation promises. */
export function unreadable(answer: AnsweredCall, what: string): { ok: false; result: CallResult } {
  return notLooked({
    kind: 'unanswered',
    code: 'provider_bad_answer',
    message: `Salesforce answered ${answer.status} to ${what} in a form that cannot be read`,
  });
}

/** First page of a SOQL query (up to 2,000 rows); `queryAll` sees the Recycle Bin too. */
export async function query<Row extends z.ZodType>(
  call: Call,
  settings: AccountSettings,
  request: { soql: string; row: Row; purpose: CallPurpose; resource?: 'query' | 'queryAll' },
): Promise<Looked<{ records: z.infer<Row>[]; done: boolean }>> {
  const path = dataPath(settings, request.resource ?? 'query');
  const { purpose } = request;
  return readAs(call, { method: 'GET', path, query: { q: request.soql }, purpose }, queryAnswer(request.row));
}

/** Path and query of a SOQL query as a composite subrequest takes them. */
export function queryUrl(settings: AccountSettings, soql: string): string {
  return `${dataPath(settings, 'query')}?q=${encodeURIComponent(soql)}`;
}

/**
 * Several GETs in one metered call; each may fail on its own.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
 */
export async function getTogether(
  call: Call,
  settings: AccountSettings,
  urls: Record<string, string>,
  purpose: CallPurpose,
): Promise<Looked<Map<string, AnsweredCall>>> {
  const compositeRequest = Object.entries(urls).map(([referenceId, url]) => ({
    method: 'GET',
    url,
    referenceId,
  }));
  const path = dataPath(settings, 'composite');
  const result = await call({
    method: 'POST',
    path,
    body: { allOrNone: false, compositeRequest },
    purpose,
  });
  if (result.kind !== 'answered' || result.status !== 200) return notLooked(result);
  const parsed = CompositeAnswer.safeParse(result.body);
  if (!parsed.success) return unreadable(result, path);
  const answers = parsed.data.compositeResponse.map(
    ({ referenceId, httpStatusCode, body }): [string, AnsweredCall] => [
      referenceId,
      { kind: 'answered', status: httpStatusCode, headers: {}, body, receivedAtMs: result.receivedAtMs },
    ],
  );
  return { ok: true, value: new Map(answers) };
}

/** Rows of a query that was part of {@link getTogether}, or undefined if it failed (an object the user may not read). */
export function rowsOf<Row extends z.ZodType>(
  answer: AnsweredCall | undefined,
  row: Row,
): z.infer<Row>[] | undefined {
  return recordOf(answer, queryAnswer(row))?.records;
}

/** The record that was part of {@link getTogether}, or undefined if it failed. */
export function recordOf<Schema extends z.ZodType>(
  answer: AnsweredCall | undefined,
  schema: Schema,
): z.infer<Schema> | undefined {
  if (answer?.status !== 200) return undefined;
  const parsed = schema.safeParse(answer.body);
  return parsed.success ? parsed.data : undefined;
}
