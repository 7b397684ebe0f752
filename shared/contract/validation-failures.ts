import { z } from 'zod';
import type { FieldFailure, FieldFailureCode } from '../domain/failure.ts';
import { pointerSegment } from '../providers/merge-remote-data.ts';
import { nearestKey, unifiedNameOf } from './nearest-key.ts';

/** A request that is wrong in thousands of places is told about the first of them. */
const FAILURES_MAX = 100;

export type Checked<T> = { ok: true; value: T } | { ok: false; failures: FieldFailure[] };

/** Validates by a schema; everything that is wrong comes back at once, each with a JSON pointer. */
export function check<S extends z.ZodType>(schema: S, value: unknown): Checked<z.output<S>> {
  // The input tells what is missing from what is wrong: a schema may have made a list of it since.
  const parsed = schema.safeParse(value, { error: sentenceOf, reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  const failures = parsed.error.issues.flatMap((issue) => toFailures(schema, issue, value));
  return { ok: false, failures: failures.slice(0, FAILURES_MAX) };
}

/** JSON pointer of a path. @see https://www.rfc-editor.org/rfc/rfc6901 */
export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${pointerSegment(String(key))}`).join('');
}

const CODES: Readonly<Record<string, FieldFailureCode>> = {
  invalid_type: 'wrong_type',
  too_big: 'too_large',
  too_small: 'too_small',
};

function toFailures(schema: z.ZodType, issue: z.core.$ZodIssue, value: unknown): FieldFailure[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path, value);
    return issue.keys.map((key) => ({
      pointer: toPointer([...issue.path, key]),
      code: 'unknown_field',
      message: unknownKeySentence(key, known),
    }));
  }
  const missing =
    issue.path.length > 0 && issue.input === undefined && valueAt(value, issue.path) === undefined;
  return [
    {
      pointer: toPointer(issue.path),
      code: missing ? 'missing' : (CODES[issue.code] ?? 'invalid_value'),
      message: missing ? 'is required' : issue.message,
    },
  ];
}

function unknownKeySentence(key: string, known: readonly string[]): string {
  const shown = JSON.stringify(key.slice(0, 100));
  const unified = known.includes('remote_data') ? unifiedNameOf(key) : undefined;
  if (unified) {
    return `${shown} is a provider's own name; use ${unified}, or put it into remote_data to pass it on as it is`;
  }
  const nearest = nearestKey(key, known);
  if (nearest) return `${shown} is not known; did you mean "${nearest}"?`;
  return known.includes('remote_data')
    ? `${shown} is not in the unified model; to pass it on as it is, put it into remote_data`
    : `${shown} is not known; ${known.length > 0 ? `known are ${known.join(', ')}` : 'there are none here'}`;
}

/** Names a schema knows at a place, or none when it takes any. */
function keysAt(schema: unknown, path: readonly PropertyKey[], value: unknown): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return keysAt(schema.unwrap(), path, value);
  }
  if (schema instanceof z.ZodPipe) return keysAt(schema.in, path, value);
  if (schema instanceof z.ZodDiscriminatedUnion) return keysAt(chosenOf(schema, value), path, value);
  const [key, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    const shape: Record<string, unknown> = schema.shape;
    return key === undefined ? Object.keys(shape) : keysAt(shape[String(key)], rest, valueAt(value, [key]));
  }
  if (schema instanceof z.ZodArray && key !== undefined)
    return keysAt(schema.element, rest, valueAt(value, [key]));
  return [];
}

/** The member of a union that the value names. */
function chosenOf(union: z.ZodDiscriminatedUnion, value: unknown): unknown {
  const { discriminator } = union.def;
  const named = valueAt(value, [discriminator]);
  return union.options.find(
    (option) => option instanceof z.ZodObject && z.safeParse(option.shape[discriminator], named).success,
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    // `here` is an object or array that has this very key.
    here = (here as Record<PropertyKey, unknown>)[key];
  }
  return here;
}

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'entries', object: 'keys' };

/** What is wrong, as the rest of a sentence whose subject is the field. Schemas' own sentences win over these. */
function sentenceOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kindOf(issue.expected)}, not ${describe(issue.input)}`;
    case 'too_big': {
      const unit = UNITS[issue.origin];
      if (unit) return `must have at most ${issue.maximum} ${unit}`;
      return issue.inclusive ? `must be at most ${issue.maximum}` : `must be less than ${issue.maximum}`;
    }
    case 'too_small': {
      const unit = UNITS[issue.origin];
      if (unit) return `must have at least ${issue.minimum} ${unit}`;
      return issue.inclusive ? `must be at least ${issue.minimum}` : `must be more than ${issue.minimum}`;
    }
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return `must have the format ${issue.format}`;
    case 'invalid_key':
      return 'has a key that is not allowed';
    default:
      return undefined;
  }
}

function kindOf(expected: string): string {
  if (expected === 'int') return 'a whole number';
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected === 'record' ? 'object' : expected}`;
}

function describe(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'an array';
  if (typeof input === 'number' && !Number.isFinite(input)) return 'a number beyond all bounds';
  return kindOf(typeof input);
}
