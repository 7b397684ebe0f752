import type { FieldFailure, FieldFailureCode } from '../domain/failure.ts';
import { BOUNDS } from '../domain/opportunity.ts';
import { DEDUPE_KEY } from './unified-paths.ts';

/** The key without the blanks around it; a row without one, or with an empty one, is not deduplicated. */
export function checkDedupeKey(given: unknown): { key?: string; failures: FieldFailure[] } {
  if (given === undefined || given === null) return { failures: [] };
  // An id from a database is a number in JSON and the same digits in a CSV: one key.
  const text = Number.isSafeInteger(given) ? String(given) : given;
  if (typeof text !== 'string') return failure('wrong_type', 'must be text or a whole number');
  const key = text.trim();
  if (key.length > BOUNDS.idCharsMax) {
    return failure('too_large', `must have at most ${BOUNDS.idCharsMax} characters`);
  }
  if (key.includes('\u0000') || !key.isWellFormed()) {
    return failure('invalid_value', 'contains a NUL character or half of a surrogate pair');
  }
  return key === '' ? { failures: [] } : { key, failures: [] };
}

const failure = (code: FieldFailureCode, message: string): { failures: FieldFailure[] } => ({
  failures: [{ pointer: `/${DEDUPE_KEY}`, code, message }],
});
