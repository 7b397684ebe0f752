import type { FailureRule } from '../failure-outcome.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { AnsweredCall } from '../port.ts';

// One table, however long: its first row that matches decides, so that it is read from top to end.

const CODES = 'https://developer.close.com/api/overview/http-response-codes';
const LIMITS = 'https://developer.close.com/api/overview/rate-limits';
const AUTH = 'https://developer.close.com/api/overview/oauth-authentication';
const CREATE = 'https://developer.close.com/api/resources/opportunities/create';
/** The framework Close publishes and runs on: it words the answers to requests it cannot read. */
const FRAMEWORK = 'https://github.com/closeio/flask-mongorest';
const CLIENT = 'https://github.com/closeio/closeio-api';

const status =
  (...statuses: number[]) =>
  (answer: AnsweredCall) =>
    statuses.includes(answer.status);

/** 400 whose body has `key`, filled. */
const badRequest = (key: string) => (answer: AnsweredCall) => {
  const value = answer.status === 400 && isJsonObject(answer.body) ? answer.body[key] : undefined;
  return Array.isArray(value)
    ? value.length > 0
    : isJsonObject(value)
      ? Object.keys(value).length > 0
      : Boolean(value);
};

const errorText = (answer: AnsweredCall): string =>
  isJsonObject(answer.body) && typeof answer.body.error === 'string' ? answer.body.error : '';

const isNested = (answer: AnsweredCall): boolean => {
  const fields = isJsonObject(answer.body) ? answer.body['field-errors'] : undefined;
  return isJsonObject(fields) && Object.values(fields).some(isJsonObject);
};

/** A 429 has no body worth reading since April 2024; these tell the known forms apart for the record only. */
const limited = (more: (answer: AnsweredCall) => boolean) => (answer: AnsweredCall) =>
  answer.status === 429 && more(answer);

const permanent = 'permanent';
const ambiguous = 'ambiguous';

/** One row per known answer; the first that matches wins, the last matches everything. Long because it is a table. */
export const RULES: FailureRule[] = [
  {
    id: 'close.400.field-errors-nested',
    when: 'field errors with further errors inside',
    outcome: permanent,
    code: 'provider_validation',
    source: 'https://github.com/closeio/cleancat',
    sample: {
      status: 400,
      body: { errors: [], 'field-errors': { attachments: { errors: { '1': 'This field is required.' } } } },
    },
    matches: (answer) => badRequest('field-errors')(answer) && isNested(answer),
  },
  {
    id: 'close.400.field-errors',
    when: 'one or more fields refused, named by model; `errors` may be missing beside them',
    outcome: permanent,
    code: 'provider_validation',
    source: CREATE,
    sample: { status: 400, body: { 'field-errors': { lead: 'Object does not exist.' } } },
    matches: badRequest('field-errors'),
  },
  {
    id: 'close.400.errors',
    when: 'refused as a whole, with a list of reasons',
    outcome: permanent,
    code: 'provider_validation',
    source: CODES,
    sample: { status: 400, body: { errors: ['The status is not in this pipeline.'], 'field-errors': {} } },
    matches: badRequest('errors'),
  },
  {
    id: 'close.400.error',
    when: 'the request could not be read: no JSON object, wrong content type, chunked',
    outcome: permanent,
    code: 'provider_bad_request',
    source: FRAMEWORK,
    sample: { status: 400, body: { error: 'The request contains invalid JSON' } },
    matches: badRequest('error'),
  },
  {
    id: 'close.400',
    when: 'refused without a reason',
    outcome: permanent,
    code: 'provider_bad_request',
    source: CODES,
    sample: { status: 400, body: { errors: [], 'field-errors': {} } },
    matches: status(400),
  },
  {
    id: 'close.401',
    when: 'the key or the token is refused (the token has been refreshed once already)',
    outcome: 'needs_reauth',
    code: 'account_needs_reauth',
    source: AUTH,
    sample: { status: 401, body: { error: 'Unauthorized' } },
    matches: status(401),
  },
  {
    id: 'close.402',
    when: "the organisation's plan does not allow it",
    outcome: permanent,
    code: 'provider_plan_limit',
    source: CODES,
    sample: { status: 402, body: { error: 'Your plan has reached its limit.' } },
    matches: status(402),
  },
  {
    id: 'close.403.text',
    when: 'not allowed, said in a bare word',
    outcome: permanent,
    code: 'provider_forbidden',
    source: CODES,
    sample: { status: 403, body: 'Forbidden' },
    matches: (answer) => answer.status === 403 && typeof answer.body === 'string',
  },
  {
    id: 'close.403',
    when: 'the user behind the credentials lacks a permission',
    outcome: permanent,
    code: 'provider_forbidden',
    source: CODES,
    sample: { status: 403, body: { error: 'You do not have permission.' } },
    matches: status(403),
  },
  {
    id: 'close.404.record',
    when: 'a record addressed in the path does not exist',
    outcome: permanent,
    code: 'provider_not_found',
    source: CODES,
    sample: { status: 404, body: { error: 'Empty query: Opportunity matching query does not exist.' } },
    matches: (answer) => answer.status === 404 && errorText(answer).startsWith('Empty query'),
  },
  {
    id: 'close.404',
    when: 'the path is unknown (a slash may be missing), or something named in a list of errors',
    outcome: permanent,
    code: 'provider_not_found',
    source: CODES,
    sample: { status: 404, body: { errors: ['Not found.'] } },
    matches: status(404),
  },
  {
    id: 'close.405',
    when: 'the path does not know this method, the body has a wrong type or is too large',
    outcome: permanent,
    code: 'provider_bad_request',
    source: CODES,
    sample: { status: 415, body: { error: 'Unsupported Media Type' } },
    matches: status(405, 413, 415),
  },
  {
    id: 'close.409',
    when: 'the record conflicts with another',
    outcome: permanent,
    code: 'provider_conflict',
    source: CODES,
    sample: { status: 409, body: { error: 'Conflict' } },
    matches: status(409),
  },
  {
    id: 'close.422',
    when: 'a value is refused by one of the newer endpoints',
    outcome: permanent,
    code: 'provider_validation',
    source: CODES,
    sample: { status: 422, body: { errors: ['Input should be less than or equal to 200'] } },
    matches: status(422),
  },
  {
    id: 'close.429.ratelimit',
    when: 'a limit is reached, with the documented RateLimit header',
    outcome: 'rate_limited',
    code: 'provider_rate_limited',
    source: LIMITS,
    sample: { status: 429, headers: { ratelimit: 'limit=100, remaining=0, reset=5', 'retry-after': '5' } },
    matches: limited((answer) => answer.headers.ratelimit !== undefined),
  },
  {
    id: 'close.429.retry-after',
    when: 'a stricter limit of one endpoint is reached, with Retry-After only',
    outcome: 'rate_limited',
    code: 'provider_rate_limited',
    source: LIMITS,
    sample: { status: 429, headers: { 'retry-after': '2' } },
    matches: limited((answer) => answer.headers['retry-after'] !== undefined),
  },
  {
    id: 'close.429.error-object',
    when: 'a limit is reached, described in the old body',
    outcome: 'rate_limited',
    code: 'provider_rate_limited',
    source: LIMITS,
    sample: {
      status: 429,
      body: {
        error: {
          message: 'API call count exceeded for this 15 second window',
          rate_reset: 8,
          rate_limit_type: 'key',
        },
      },
    },
    matches: limited((answer) => isJsonObject(answer.body)),
  },
  {
    id: 'close.429',
    when: 'a limit is reached, nothing said about it',
    outcome: 'rate_limited',
    code: 'provider_rate_limited',
    source: LIMITS,
    sample: { status: 429 },
    matches: status(429),
  },
  {
    id: 'close.503',
    when: 'overloaded; whether the record was written before is not said',
    outcome: ambiguous,
    code: 'provider_error',
    source: CLIENT,
    sample: { status: 503, body: '' },
    matches: status(503),
  },
  {
    id: 'close.5xx',
    when: 'failed, or a proxy before it gave up waiting',
    outcome: ambiguous,
    code: 'provider_error',
    source: CLIENT,
    sample: { status: 504, body: '<html><body>504 Gateway Time-out</body></html>' },
    matches: (answer) => answer.status >= 500,
  },
  {
    id: 'close.2xx.unreadable',
    when: 'success without a record that can be read',
    outcome: ambiguous,
    code: 'provider_bad_answer',
    source: CREATE,
    sample: { status: 200, body: '' },
    matches: (answer) => answer.status >= 200 && answer.status < 300,
  },
  {
    id: 'close.unknown',
    when: 'an answer nobody has described',
    outcome: ambiguous,
    code: 'provider_bad_answer',
    source: CODES,
    sample: { status: 408, body: { error: 'Request Timeout' } },
    matches: () => true,
  },
];
