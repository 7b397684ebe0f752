import { z } from 'zod';
import type { BatchReading, BatchRow, BatchRowOutcome } from '../batch-port.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { AnsweredCall, ProviderRequest } from '../port.ts';
import { classify } from './failures.ts';
import { findFieldAtColumn, readErrors } from './provider-errors.ts';
import { CollectionsItem } from './responses.ts';

const Items = z.array(CollectionsItem);

/** {@link BatchDescriptor.read}: each row is judged as if its result were the answer to its own single upsert. */
export function readBatch(
  answer: AnsweredCall,
  rows: readonly BatchRow[],
  request: ProviderRequest,
): BatchReading {
  const items = Items.safeParse(answer.body);
  // A list of results is one whatever its status: the documentation and recordings differ about that of a failed call.
  if (items.success && items.data.length === rows.length) {
    let text: string | undefined;
    const sent = () => (text ??= JSON.stringify(request.body));
    const outcomes = rows.map((row, index) =>
      readItem({ ...answer, body: items.data[index] }, row, items.data[index], sent),
    );
    return { kind: 'rows', outcomes };
  }
  const outcome = classify(answer, request);
  if (outcome.kind !== 'written') return { kind: 'whole', failure: outcome };
  // The answer to some other call; whatever it was, it says nothing of these rows.
  const message = 'Salesforce answered a batch as if it were one record';
  return {
    kind: 'whole',
    failure: { kind: 'ambiguous', code: 'provider_bad_answer', message, httpStatus: answer.status },
  };
}

function readItem(
  answer: AnsweredCall,
  row: BatchRow,
  item: CollectionsItem | undefined,
  sent: () => string,
): BatchRowOutcome {
  const { created } = item ?? {};
  const errors = item?.success === false ? (item.errors ?? []) : undefined;
  const outcome =
    errors === undefined
      ? classify({ ...answer, status: created === false ? 200 : 201 }, row.plan.create)
      : judgeErrors(answer, row.plan.create, errors, sent);
  return created === undefined ? { outcome } : { outcome, created };
}

/** What a row's errors would mean as the answer to its own call; `sent` is the text a place in a message refers to. */
export function judgeErrors(
  answer: AnsweredCall,
  own: ProviderRequest,
  errors: readonly unknown[],
  sent?: () => string,
): BatchRowOutcome['outcome'] {
  const body = errors.map((error) => withField(error, own, sent));
  return classify({ ...answer, status: statusOf(body), body }, own);
}

/**
 * Codes that say nothing certain about the write, which a single call shows by its status. Those of asynchronous work
 * (`InternalServerError`, `Timeout`, `TooManyLockFailure`) are not in capitals.
 */
const UNCERTAIN = new Set(['UNKNOWN_EXCEPTION', 'APEX_ERROR', 'SERVER_UNAVAILABLE']);

/** Inside of a 2xx there is no status to go by: the code decides which the single call would have had. */
function statusOf(errors: unknown[]): number {
  return readErrors(errors).some(({ code }) => UNCERTAIN.has(code) || /[a-z]/.test(code)) ? 500 : 400;
}

/** A parser error names a place in the whole call; the field there is named instead, as far as it is the row's. */
function withField(error: unknown, { body }: ProviderRequest, sent: (() => string) | undefined): unknown {
  const [read] = readErrors(error);
  if (sent === undefined || read === undefined || read.fields.length > 0 || !isJsonObject(body)) return error;
  if (!isJsonObject(error) || !/column:\d/.test(read.message)) return error;
  const field = findFieldAtColumn(read.message, sent(), body);
  return field === undefined ? error : { ...error, fields: [field] };
}
