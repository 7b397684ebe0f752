import { expect, it } from 'vitest';
import { jobErrorOf } from '../../worker/write-opportunity/outcome.ts';

it.each([
  ['its own 402', 'provider_plan_limit', 402, 402, 'Payment Required'],
  ['its own 404', 'provider_not_found', 404, 404, 'Not Found'],
  ['its own 409', 'provider_validation', 409, 409, 'Conflict'],
  ['its own 410', 'provider_bad_request', 410, 410, 'Gone'],
  ['its own 422, of a duplicate', 'provider_conflict', 422, 422, 'Unprocessable Entity'],
  ['422 for a value it refuses with 400', 'provider_validation', 400, 422, 'Unprocessable Entity'],
  ['409 for a duplicate it refuses with 400', 'provider_conflict', 400, 409, 'Conflict'],
  ['401 for a grant that is dead', 'account_needs_reauth', 400, 401, 'Unauthorized'],
  ['401 for a session that it says with 403', 'account_needs_reauth', 403, 401, 'Unauthorized'],
  ['429 for a limit that it says with 403', 'provider_rate_limited', 403, 429, 'Too Many Requests'],
  ['422 for a 407 of somebody between', 'provider_validation', 407, 422, 'Unprocessable Entity'],
  ['502 for its 503', 'provider_unavailable', 503, 502, 'Bad Gateway'],
  ['504 for no answer', 'provider_no_answer', undefined, 504, 'Gateway Timeout'],
  ['502 when all tries ended in 423', 'attempts_exhausted', 423, 502, 'Bad Gateway'],
])('a failure of the provider has %s', (_, code, httpStatus, statusCode, error) => {
  expect(jobErrorOf({ code, message: 'no', httpStatus })).toMatchObject({ code, statusCode, error });
});

it('tells a right that lacks at the provider from its other refusals', () => {
  const insightOf = (httpStatus: number) =>
    jobErrorOf({ code: 'provider_forbidden', message: '', httpStatus }).truto_error_insight;
  expect(insightOf(403)).toHaveProperty('forbidden_error');
  expect(insightOf(451)).not.toHaveProperty('forbidden_error');
});
