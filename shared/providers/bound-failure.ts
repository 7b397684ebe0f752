import type { FieldFailure } from '../domain/failure.ts';

/**
 * What is kept of a failure: it stands in the record, in its attempt and in every answer about it, and whoever answers in a
 * provider's name may write megabytes.
 */
const MESSAGE_CHARS_MAX = 1_000;
const BODY_CHARS_MAX = 16_000;
const FIELDS_MAX = 100;

export function boundMessage(text: string): string {
  return text.length <= MESSAGE_CHARS_MAX ? text : `${text.slice(0, MESSAGE_CHARS_MAX)}…`;
}

/** The body as it came, or the beginning of its text. */
export function boundBody(body: unknown): unknown {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (text === undefined || text.length <= BODY_CHARS_MAX) return body;
  return `${text.slice(0, BODY_CHARS_MAX)}… (${text.length} characters)`;
}

export function boundFields(fields: readonly FieldFailure[]): FieldFailure[] {
  return fields
    .slice(0, FIELDS_MAX)
    .map((failure) => ({ ...failure, message: boundMessage(failure.message) }));
}
