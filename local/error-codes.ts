import { ERROR_CATALOGUE } from '../shared/errors.ts';
import { FIELD_CODES, WARNING_CODES } from '../shared/field-codes.ts';

/** `docs/error-codes.md`, made from the published catalogue. */
export function renderErrorCodes(): string {
  const rows = Object.entries(ERROR_CATALOGUE).map(
    ([code, { statusCode, retryable, meaning, action }]) =>
      `| \`${code}\` | ${statusCode} | ${retryable ? 'yes' : 'no'} | ${cell(meaning)} | ${cell(action)} |`,
  );
  return [
    '# Error codes',
    '',
    'Generated from `shared/errors.ts` and `shared/field-codes.ts` by `npm run check -- --write`.',
    '',
    'Every error, in an answer or in `job.error`, carries one of these as `code`. A code is never renamed and never',
    'reused. *Retryable*: the same request may succeed later, with the same `Idempotency-Key`. The status is that of an',
    "answer of ours; a failure of the provider's keeps the provider's own 4xx where it has one, save that a value it refuses with 400 is",
    '422 here, and its limits are 429 however it says them.',
    '',
    '| code | status | retryable | meaning | what to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Fields',
    '',
    'What is wrong with one field: `details.failures[].code`, `errors[].code` of a dry run, and `code` of a row of an import that was',
    'refused. Where an error above says it (`stage_not_found`, `missing_required_fields`, …), it is that code; else one of these.',
    '',
    ...table(FIELD_CODES),
    '',
    '## Warnings',
    '',
    'What an answer says although the write goes on: `warnings[].code`.',
    '',
    ...table(WARNING_CODES),
    '',
  ].join('\n');
}

const cell = (text: string) => text.replaceAll('|', '\\|');

const table = (codes: Readonly<Record<string, string>>) => [
  '| code | meaning |',
  '|---|---|',
  ...Object.entries(codes).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`),
];
