import { ERROR_CATALOGUE } from '../shared/errors.ts';

/** `docs/error-codes.md`, made from the published catalogue. */
export function renderErrorCodes(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = Object.entries(ERROR_CATALOGUE).map(
    ([code, { statusCode, retryable, meaning, action }]) =>
      `| \`${code}\` | ${statusCode} | ${retryable ? 'yes' : 'no'} | ${cell(meaning)} | ${cell(action)} |`,
  );
  return [
    '# Error codes',
    '',
    'Generated from `shared/errors.ts` by `npm run check -- --write`.',
    '',
    'Every error, in an answer or in `job.error`, carries one of these as `code`. A code is never renamed and never',
    'reused. *Retryable*: the same request may succeed later, with the same `Idempotency-Key`. The status is that of an',
    "answer of ours; a failure of the provider's keeps the provider's own 4xx where it has one.",
    '',
    '| code | status | retryable | meaning | what to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
