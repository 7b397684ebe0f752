/**
 * The one published catalogue of error codes. A code is never renamed and never reused. One file, however long: it is one table, read
 * and published as a whole.
 */
const entry = (statusCode: number, retryable: boolean, meaning: string, action: string) =>
  ({ statusCode, retryable, meaning, action }) as const;

export const ERROR_CATALOGUE = {
  invalid_json: entry(400, false, 'The body is not valid JSON.', 'Send one JSON object, encoded in UTF-8.'),
  invalid_body: entry(
    400,
    false,
    'One or more fields of the body are wrong.',
    'Correct every entry of details.failures.',
  ),
  invalid_query: entry(
    400,
    false,
    'A query parameter is unknown, repeated or wrong.',
    'Correct every entry of details.failures.',
  ),
  invalid_header: entry(400, false, 'A header is malformed.', 'Correct the header named in the message.'),
  invalid_import: entry(
    400,
    false,
    'An import cannot be read: its header, its encoding or its form.',
    'Correct what the message names and send it again; nothing was kept.',
  ),
  missing_required_fields: entry(
    400,
    false,
    'The provider cannot do without a field that is missing.',
    'Send it, or set a default on the account.',
  ),
  unsupported_field: entry(
    400,
    false,
    'The provider has no place for a field and on_unsupported is reject.',
    'Leave the field out, or use on_unsupported=warn.',
  ),
  url_not_allowed: entry(
    400,
    false,
    'A URL points at a host that is not allowed.',
    'Read the reason in the message. Accounts: use an allowed host, or extend PROVIDER_URL_ALLOWLIST. Webhooks: a public https URL.',
  ),
  unauthorized: entry(
    401,
    false,
    'The bearer token is missing, unknown or expired.',
    'Send Authorization: Bearer with a valid token.',
  ),
  insufficient_scope: entry(
    403,
    false,
    'The token lacks a scope for this operation.',
    'Use a token that has the scope named in the message.',
  ),
  not_found: entry(
    404,
    false,
    'There is no such thing in this workspace.',
    'Check the id and the workspace of the token.',
  ),
  route_not_found: entry(404, false, 'There is no such route.', 'See /openapi.json.'),
  method_not_allowed: entry(
    405,
    false,
    'The route does not know this method.',
    'Use one of the methods in Allow.',
  ),
  conflict: entry(
    409,
    false,
    'The request does not fit the present state.',
    'Read the message; it names the state.',
  ),
  already_exists: entry(409, false, 'Something with this id exists.', 'Choose another id, or leave it out.'),
  idempotency_key_in_progress: entry(
    409,
    true,
    'A request with this key is being accepted right now.',
    'Repeat the same request in a moment.',
  ),
  account_has_open_jobs: entry(
    409,
    false,
    'The account still has open jobs.',
    'Wait, or delete with ?cancel=true.',
  ),
  job_already_started: entry(
    409,
    false,
    'The first attempt has started; the job can no longer be cancelled.',
    'Wait for its result.',
  ),
  job_not_retryable: entry(
    409,
    false,
    'Only failed or cancelled jobs can be retried.',
    'Look at the status of the job.',
  ),
  job_needs_resolve: entry(
    409,
    false,
    'The provider may hold the record; a retry could double it.',
    'Use POST /jobs/ID/resolve.',
  ),
  job_not_in_review: entry(
    409,
    false,
    'Only jobs in needs_review can be resolved.',
    'Look at the status of the job.',
  ),
  body_too_large: entry(
    413,
    false,
    'The body is larger than allowed.',
    'Send less; see the limit in the message.',
  ),
  import_too_large: entry(
    413,
    false,
    'An import has more rows or bytes than allowed.',
    'Split it; see the limit in the message.',
  ),
  unsupported_media_type: entry(
    415,
    false,
    'The body has a type this route does not read.',
    'Send Content-Type: application/json.',
  ),
  idempotency_key_reused: entry(
    422,
    false,
    'The idempotency key was used with another body or query.',
    'Use a new key for a new request.',
  ),
  token_rate_limited: entry(429, true, "The token's own request limit is reached.", 'Wait for Retry-After.'),
  backlog_full: entry(429, true, 'The account has too many open jobs.', 'Wait for Retry-After.'),
  internal_error: entry(
    500,
    true,
    'Something broke on our side.',
    'Repeat with the same idempotency key; report the request id.',
  ),
  durability_unavailable: entry(
    503,
    true,
    'The request cannot be stored durably right now.',
    'Repeat after Retry-After with the same idempotency key.',
  ),
  accept_timed_out: entry(
    503,
    true,
    'The store did not confirm in time; the request may have been accepted.',
    'Repeat with the same idempotency key, or read the job by job_id.',
  ),
  query_timed_out: entry(
    504,
    true,
    'The provider was not reached in time for a live answer.',
    'Repeat later; a running worker is needed.',
  ),

  stage_not_found: entry(
    422,
    false,
    'The account has no such stage.',
    'Use a stage of the list in the message, or of the meta endpoint.',
  ),
  stage_ambiguous: entry(422, false, 'Several stages have this name.', 'Use the id of the stage.'),
  custom_field_not_found: entry(
    422,
    false,
    'The account has no such custom field.',
    'Use a key of the meta endpoint.',
  ),
  account_needs_reauth: entry(
    401,
    false,
    'The provider refused the credentials of the account.',
    'Store new credentials; waiting jobs go on by themselves.',
  ),
  provider_forbidden: entry(
    403,
    false,
    'The credentials lack a right at the provider.',
    'Grant the right named in the message.',
  ),
  provider_plan_limit: entry(
    403,
    false,
    "The customer's plan or storage at the provider is exhausted.",
    'An administrator there must act; then retry the job.',
  ),
  provider_not_found: entry(
    404,
    false,
    'The provider does not know the thing addressed.',
    'Check the ids of the request.',
  ),
  provider_conflict: entry(
    409,
    false,
    'The provider refuses the record as a duplicate.',
    'Decide at the provider, or pass its override in remote_data or remote_query.',
  ),
  provider_validation: entry(
    422,
    false,
    'The provider refused one or more values.',
    'Correct the fields of details.failures, then retry the job.',
  ),
  provider_bad_request: entry(
    422,
    false,
    'The provider could not read the request.',
    'See raw_response; remote_data is the usual cause.',
  ),
  provider_rate_limited: entry(
    429,
    true,
    "The provider's limit is reached.",
    'Nothing to do: the job waits until the provider allows it.',
  ),
  provider_row_locked: entry(
    429,
    true,
    'The provider could not lock a record in time.',
    'Nothing to do: the job is tried again.',
  ),
  provider_unreachable: entry(
    502,
    true,
    'The provider could not be reached; nothing was sent.',
    'Nothing to do while attempts remain.',
  ),
  provider_unavailable: entry(
    502,
    true,
    'The provider refused to work for now; nothing was written.',
    'Nothing to do while attempts remain.',
  ),
  provider_error: entry(
    502,
    false,
    'The provider failed and does not say whether it wrote the record.',
    'The job is reconciled, never sent again blindly.',
  ),
  provider_bad_answer: entry(
    502,
    false,
    'The provider answered something unreadable.',
    'The job is reconciled, never sent again blindly.',
  ),
  provider_no_answer: entry(
    504,
    false,
    'The provider did not answer in time; it may have written the record.',
    'The job is reconciled, never sent again blindly.',
  ),
  outcome_unknown: entry(
    504,
    false,
    'The provider may have the record and cannot be asked well enough.',
    'Look at the candidates of the job and use POST /jobs/ID/resolve.',
  ),
  attempts_exhausted: entry(
    502,
    true,
    'All attempts are used up; nothing was written.',
    'Retry the job when the provider is well again.',
  ),
  deadline_exceeded: entry(
    504,
    true,
    'The deadline of the job passed; nothing was written.',
    'Retry the job.',
  ),
  cancelled: entry(
    409,
    false,
    'The job was cancelled before anything was sent.',
    'Submit it again, or retry the job.',
  ),
  import_max_errors: entry(
    409,
    false,
    'An import reached its max_errors: rows that had not begun were not begun.',
    'Correct the failed rows, then retry them, or import the rest.',
  ),
  worker_fault: entry(
    500,
    true,
    'The worker met a bug while handling the job; nothing more was sent.',
    'Report the job id.',
  ),
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, code);
}
