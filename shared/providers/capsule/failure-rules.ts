import type { FailureRule } from '../failure-outcome.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { AnsweredCall } from '../port.ts';

const ANSWERS = 'https://developer.capsulecrm.com/v2/overview/handling-api-responses';
const AUTH = 'https://developer.capsulecrm.com/v2/overview/authentication';
const CREATE = 'https://developer.capsulecrm.com/v2/operations/Opportunity';

const status =
  (...statuses: number[]) =>
  (answer: AnsweredCall) =>
    statuses.includes(answer.status);

const messageOf = ({ body }: AnsweredCall): string =>
  isJsonObject(body) && typeof body.message === 'string' ? body.message : '';

const hasErrors = ({ body }: AnsweredCall): boolean =>
  isJsonObject(body) && Array.isArray(body.errors) && body.errors.length > 0;

const permanent = 'permanent';
const ambiguous = 'ambiguous';

/** One row per known answer; the first that matches wins, the last matches everything. */
export const RULES: FailureRule[] = [
  {
    id: 'capsule.400',
    when: 'the request could not be read',
    outcome: permanent,
    code: 'provider_bad_request',
    source: ANSWERS,
    sample: { status: 400, body: { message: 'Malformed JSON' } },
    matches: status(400),
  },
  {
    id: 'capsule.401',
    when: 'the token is refused or expired (it has been refreshed once already)',
    outcome: 'needs_reauth',
    code: 'account_needs_reauth',
    source: AUTH,
    sample: {
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
      body: { message: 'Invalid token' },
    },
    matches: status(401),
  },
  {
    id: 'capsule.402',
    when: 'the plan of the account does not allow it',
    outcome: permanent,
    code: 'provider_plan_limit',
    source: ANSWERS,
    sample: { status: 402, body: { message: 'Your account has reached the limit of its plan' } },
    matches: status(402),
  },
  {
    id: 'capsule.403.scope',
    when: 'the token lacks a scope, as a read-only token does; refreshing does not help',
    outcome: permanent,
    code: 'provider_forbidden',
    source: AUTH,
    sample: { status: 403, body: { message: 'Requires additional scope' } },
    matches: (answer) => answer.status === 403 && /scope/i.test(messageOf(answer)),
  },
  {
    id: 'capsule.403',
    when: 'the user behind the token lacks a right',
    outcome: permanent,
    code: 'provider_forbidden',
    source: ANSWERS,
    sample: { status: 403, body: { message: 'You are not allowed to do this' } },
    matches: status(403),
  },
  {
    id: 'capsule.404.path',
    when: 'the path is unknown',
    outcome: permanent,
    code: 'provider_not_found',
    source: ANSWERS,
    sample: { status: 404, body: { message: 'Could not find resource' } },
    matches: (answer) => answer.status === 404 && messageOf(answer) === 'Could not find resource',
  },
  {
    id: 'capsule.404',
    when: 'a record addressed in the path does not exist',
    outcome: permanent,
    code: 'provider_not_found',
    source: ANSWERS,
    sample: { status: 404, body: { message: 'party not found' } },
    matches: status(404),
  },
  {
    id: 'capsule.405',
    when: 'the path does not know this method, the body has a wrong type or is too large',
    outcome: permanent,
    code: 'provider_bad_request',
    source: ANSWERS,
    sample: { status: 405, body: { message: 'Method not allowed' } },
    matches: status(405, 413, 415),
  },
  {
    id: 'capsule.409',
    when: 'the record conflicts with another',
    outcome: permanent,
    code: 'provider_conflict',
    source: ANSWERS,
    sample: { status: 409, body: { message: 'Conflict' } },
    matches: status(409),
  },
  {
    id: 'capsule.422.errors',
    when: 'validation failed; a reference to a missing record in the body counts as that too',
    outcome: permanent,
    code: 'provider_validation',
    source: ANSWERS,
    sample: {
      status: 422,
      body: {
        message: 'Validation Failed',
        errors: [{ message: 'milestone is required', resource: 'opportunity', field: 'milestone' }],
      },
    },
    matches: (answer) => answer.status === 422 && hasErrors(answer),
  },
  {
    id: 'capsule.422',
    when: 'refused with one sentence and no list of errors',
    outcome: permanent,
    code: 'provider_validation',
    source: CREATE,
    sample: { status: 422, body: { message: 'owner is not a member of the team' } },
    matches: status(422),
  },
  {
    id: 'capsule.429',
    when: 'the hour of this user is used up; the body says `error`, not `message`, and there is no Retry-After',
    outcome: 'rate_limited',
    code: 'provider_rate_limited',
    source: ANSWERS,
    sample: {
      status: 429,
      headers: {
        'x-ratelimit-limit': '4000',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': '1772362800',
      },
      body: { error: 'rate limit reached' },
    },
    matches: status(429),
  },
  {
    id: 'capsule.5xx',
    when: 'failed, or a proxy before it gave up waiting',
    outcome: ambiguous,
    code: 'provider_error',
    source: ANSWERS,
    sample: { status: 503, body: '<html><body>Service Unavailable</body></html>' },
    matches: (answer) => answer.status >= 500,
  },
  {
    id: 'capsule.2xx.unreadable',
    when: 'success without a record that can be read',
    outcome: ambiguous,
    code: 'provider_bad_answer',
    source: CREATE,
    sample: { status: 201, body: '' },
    matches: (answer) => answer.status >= 200 && answer.status < 300,
  },
  {
    id: 'capsule.unknown',
    when: 'an answer nobody has described',
    outcome: ambiguous,
    code: 'provider_bad_answer',
    source: ANSWERS,
    sample: { status: 408 },
    matches: () => true,
  },
];
