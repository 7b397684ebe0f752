import type { z } from 'zod';
import { AppError } from '../../shared/app-error.ts';
import { check } from '../../shared/contract/validation-failures.ts';

/**
 * Path parameters by schema. An id that has the wrong form names nothing, so it is a 404 as any other unknown id.
 * @throws AppError `not_found`.
 */
export function parseParams<S extends z.ZodType>(params: unknown, schema: S): z.output<S> {
  const checked = check(schema, params);
  if (checked.ok) return checked.value;
  throw new AppError('not_found');
}

/**
 * Request headers by schema (lower-case names; others are dropped by it).
 * @throws AppError `invalid_header` naming each.
 */
export function parseHeaders<S extends z.ZodType>(headers: unknown, schema: S): z.output<S> {
  const checked = check(schema, headers);
  if (checked.ok) return checked.value;
  const named = checked.failures.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; ');
  throw new AppError('invalid_header', `A header is malformed: ${named}.`, { failures: checked.failures });
}
