import { z } from 'zod';

/**
 * Schemas for query parameters, which arrive as text. They take the same values as JSON too, so that a retry's
 * `query` object is read by the schema of the create. `meta.openapi` is what the OpenAPI document shows instead.
 */

const TRUTHS: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };

/** `true` or `false` (also `1` and `0`). */
export function queryBoolean(description: string) {
  return z
    .union([z.boolean(), z.enum(['true', 'false', '1', '0'])], { error: 'must be true or false' })
    .transform((value) => (typeof value === 'boolean' ? value : TRUTHS[value] === true))
    .meta({ description, openapi: { type: 'boolean' } });
}

/** A whole number within bounds. */
export function queryInteger(min: number, max: number, description: string) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .union([z.int(), z.string().regex(/^\d{1,9}$/, { error })], { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error })
    .meta({ description, openapi: { type: 'integer', minimum: min, maximum: max } });
}

/**
 * A list as `x[]=a&x[]=b`, as `x=a,b`, or both.
 * @param min 1 where a list of nothing can only be a mistake: by `status=` nobody means to ask for no job at all.
 */
export function queryList<S extends z.ZodType<string, string>>(
  item: S,
  max: number,
  description: string,
  min: 0 | 1 = 0,
) {
  return z
    .union([z.string(), z.array(z.string())], { error: 'must be a list: x[]=a&x[]=b, or x=a,b' })
    .transform((value) =>
      (Array.isArray(value) ? value : [value])
        .flatMap((part) => part.split(','))
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item).min(min, { error: 'must name at least one; leave it out for all' }).max(max))
    .meta({
      description,
      openapi: {
        type: 'array',
        items: { type: 'string', ...(item instanceof z.ZodEnum ? { enum: item.options } : {}) },
        ...(min > 0 ? { minItems: min } : {}),
        maxItems: max,
      },
    });
}

/** A moment in ISO 8601 as milliseconds. */
export function queryTime(description: string) {
  return z
    .union([z.iso.datetime({ offset: true }), z.iso.date()], {
      error: 'must be a moment as 2026-04-30T12:00:00Z or a date as 2026-04-30',
    })
    .transform((text) => Date.parse(text))
    .meta({ description, openapi: { type: 'string', format: 'date-time' } });
}

/** An id that is a UUID; case does not matter. */
export function queryUuid(description: string) {
  return z
    .string({ error: 'must be a UUID' })
    .regex(/^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/, { error: 'must be a UUID' })
    .transform((text) => text.toLowerCase())
    .meta({ description, openapi: { type: 'string', format: 'uuid' } });
}
