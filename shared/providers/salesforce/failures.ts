import type { FieldFailure, RateLimitHit, WriteFailure, WriteOutcome } from '../../domain/failure.ts';
import { boundBody, boundFields, boundMessage } from '../bound-failure.ts';
import { softenForReads } from '../failure-outcome.ts';
import type { AnsweredCall, LearnedLimits, ProviderRequest } from '../port.ts';
import { parseRetryAfter } from '../retry-after.ts';
import type { Match, SalesforceFailureRow } from './failure-row.ts';
import { type ReadError, readErrors, toFieldFailures } from './provider-errors.ts';
import { toId18 } from './record-id.ts';
import { SaveAnswer } from './responses.ts';
import { LIMIT_ROWS } from './rows-limits.ts';
import { REFUSED_ROWS } from './rows-refused.ts';
import { LAST_ROWS, UNCERTAIN_ROWS, UNKNOWN_ROWS } from './rows-unknown.ts';
import { WAITING_ROWS } from './rows-waiting.ts';
import { UNCONFIRMED_ROWS, WRITTEN_ROWS } from './rows-written.ts';

/** Every way a create can fail to be confirmed. */
export const failureTable: SalesforceFailureRow[] = [
  ...UNCONFIRMED_ROWS,
  ...LIMIT_ROWS,
  ...WAITING_ROWS,
  ...UNCERTAIN_ROWS,
  ...REFUSED_ROWS,
  ...UNKNOWN_ROWS,
  ...LAST_ROWS,
];

/** Every answer to a create this connector knows; the first row that matches decides. */
export const ANSWER_TABLE: readonly SalesforceFailureRow[] = [...WRITTEN_ROWS, ...failureTable];

type Answer = {
  status: number;
  saved: SaveAnswer | undefined;
  errors: ReadError[];
  ownKey: string | undefined;
};

/** {@link ProviderDescriptor.classify}: what an answer to a create (or to inserting a contact role) means. */
export function classify(answered: AnsweredCall, request: ProviderRequest): WriteOutcome {
  const { data: saved } = SaveAnswer.safeParse(answered.body);
  const answer: Answer = {
    status: answered.status,
    saved,
    // A batch has 200 of these answers: what confirms a record is not searched for errors.
    errors: saved === undefined ? readErrors(answered.body) : [],
    ownKey: upsertKeyOf(request),
  };
  const row = ANSWER_TABLE.find((candidate) => matches(candidate.match, answer));
  if (row?.outcome === 'written' && saved !== undefined) {
    return {
      kind: 'written',
      remoteId: toId18(saved.id),
      answer: answered.body,
      httpStatus: answered.status,
    };
  }
  return softenForReads(toFailure(row, answered, answer, request), request);
}

/** The external-id field a request upserts by, or undefined if it is no upsert. */
function upsertKeyOf(request: ProviderRequest): string | undefined {
  return request.method === 'PATCH' ? /\/sobjects\/\w+\/(\w+)\//.exec(request.path)?.[1] : undefined;
}

function matches(match: Match, answer: Answer): boolean {
  return (
    hasStatus(match.status, answer.status) &&
    hasError(match, answer) &&
    (match.body === undefined || hasBody(match.body, answer))
  );
}

function hasStatus(wanted: Match['status'], status: number): boolean {
  switch (wanted) {
    case 'any':
      return true;
    case 'success':
      return status >= 200 && status < 300;
    case 'refused':
      return status >= 400 && status < 500;
    case 'server':
      return status >= 500;
    case 'failed':
      return status >= 400;
    default:
      return wanted.includes(status);
  }
}

/** One and the same error must have the code and the words; without either any answer will do. */
function hasError({ codes, message, isOwnKey }: Match, { errors, ownKey }: Answer): boolean {
  if (codes === undefined && message === undefined) return true;
  return errors.some(
    (error) =>
      (codes === undefined || codes.includes(error.code)) &&
      (message === undefined || message.test(error.message)) &&
      (isOwnKey === undefined || (ownKey !== undefined && namesField(error.message, ownKey))),
  );
}

function namesField(message: string, field: string): boolean {
  const named = /duplicate value found: (\w+) duplicates/i.exec(message)?.[1]?.toLowerCase();
  const wanted = field.toLowerCase();
  // A translated message has no words we know; then the field's name anywhere in it is enough.
  return named === undefined ? message.toLowerCase().includes(wanted) : named === wanted;
}

function hasBody(wanted: NonNullable<Match['body']>, { saved, errors }: Answer): boolean {
  if (wanted === 'errors') return errors.length > 0;
  if (wanted === 'none') return errors.length === 0;
  return saved !== undefined && (wanted === 'saved' || saved.created === false);
}

function toFailure(
  row: SalesforceFailureRow | undefined,
  answered: AnsweredCall,
  { errors }: Answer,
  request: ProviderRequest,
): WriteFailure {
  const facts = {
    code: row?.code ?? 'provider_bad_answer',
    message: boundMessage(messageOf(errors, answered.status, row)),
    httpStatus: answered.status,
    rawResponse: boundBody(answered.body),
    row: row?.id ?? 'unreadable',
  };
  switch (row?.outcome) {
    case 'permanent': {
      const fields = errors.flatMap((error) => toFieldFailures(error, request));
      return { kind: 'permanent', ...facts, ...fieldsOf(fields) };
    }
    case 'rate_limited':
      return { kind: 'rate_limited', ...facts, limit: limitOf(row.scope ?? 'account', answered) };
    case 'retryable':
      return { kind: 'retryable', ...facts, ...(row.outage ? { outage: true } : {}) };
    case 'needs_reauth':
      return { kind: 'needs_reauth', ...facts };
    default:
      return {
        kind: 'ambiguous',
        ...facts,
        ...(row?.match.isOwnKey === true ? { keyHeldBy: holderIn(errors) } : {}),
      };
  }
}

/** Salesforce names it only in its words, by the short form of its id; in another language it is still the only one of its kind. */
function holderIn(errors: ReadError[]): string {
  const named = errors.map(({ message }) => /\b006[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?\b/.exec(message)?.[0]);
  return toId18(named.find(Boolean) ?? '');
}

function fieldsOf(fields: FieldFailure[]): { fields?: FieldFailure[] } {
  return fields.length === 0 ? {} : { fields: boundFields(fields) };
}

function messageOf(errors: ReadError[], status: number, row: SalesforceFailureRow | undefined): string {
  if (errors.length > 0) return errors.map((error) => error.message).join('; ');
  return `Salesforce answered ${status}${row === undefined ? '' : `: ${row.when}`}`;
}

/** Salesforce states no time today; should a `Retry-After` ever appear it is taken. */
function limitOf(scope: RateLimitHit['scope'], { headers, receivedAtMs }: AnsweredCall): RateLimitHit {
  const waitMs = parseRetryAfter(headers['retry-after'], receivedAtMs);
  return waitMs === undefined ? { scope } : { scope, untilMs: receivedAtMs + waitMs };
}

/**
 * {@link ProviderDescriptor.readLimits}: `Sforce-Limit-Info: api-usage=25/5000; per-app-api-usage=17/250(appName=x)`.
 * The expression is anchored so that it cannot take the usage of one app for that of the organisation.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm
 */
export function readLimits(headers: Record<string, string>): LearnedLimits {
  const usage = /(?:^|[;,\s])api-usage=(\d{1,15})\/(\d{1,15})/i.exec(headers['sforce-limit-info'] ?? '');
  if (usage === null) return {};
  return { daily: { used: Number(usage[1]), max: Number(usage[2]) } };
}
