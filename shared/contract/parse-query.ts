import qs from 'qs';
import type { z } from 'zod';
import { AppError } from '../app-error.ts';
import type { FieldFailure } from '../domain/failure.ts';
import { check, toPointer } from './validation-failures.ts';

const PAIRS_MAX = 500;
const DEPTH_MAX = 8;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses a query string in Truto's syntax (`a=1`, `a[b][c]=1`, `a[]=1&a[]=2`; a dot in a key is a dot) and validates it
 * by a strict schema: unknown and repeated parameters are named.
 * @param target path with or without a query string.
 * @throws AppError `invalid_query`.
 */
export function parseQuery<S extends z.ZodType>(target: string, schema: S): z.output<S> {
  const at = target.indexOf('?');
  const text = at === -1 ? '' : target.slice(at + 1);
  const kept = keptFor(schema);
  const known = kept.get(text);
  // What is kept under a schema came out of this very schema.
  if (known !== undefined) return known as z.output<S>;
  const parsed = parseText(text, schema);
  if (text.length <= KEPT_CHARS_MAX) {
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(text, parsed);
  }
  return parsed;
}

/** Callers repeat their query word for word, creates most of all; a result is read only, so it can be shared. */
const KEPT_MAX = 1_000;
const KEPT_CHARS_MAX = 300;
const keptBySchema = new WeakMap<z.ZodType, Map<string, unknown>>();

function keptFor(schema: z.ZodType): Map<string, unknown> {
  let kept = keptBySchema.get(schema);
  if (!kept) {
    kept = new Map();
    keptBySchema.set(schema, kept);
  }
  return kept;
}

function parseText<S extends z.ZodType>(text: string, schema: S): z.output<S> {
  const pairs = splitPairs(text);
  const failures = pairs.flatMap(findBadKey);
  failures.push(...findRepeated(pairs));
  if (failures.length > 0) throw refusal(failures);
  const nested = pairs.some(({ key }) => key.includes('['));
  const checked = check(schema, nested ? parseNested(text) : combine(pairs));
  if (!checked.ok) throw refusal(checked.failures.map((failure) => nameRepetition(failure, pairs)));
  return checked.value;
}

type Pair = { key: string; value: string };

function splitPairs(text: string): Pair[] {
  if (text === '') return [];
  const parts = text.split('&').filter((part) => part !== '');
  if (parts.length > PAIRS_MAX) {
    throw refusal([{ pointer: '', code: 'too_large', message: `has more than ${PAIRS_MAX} parameters` }]);
  }
  return parts.map((part) => {
    const at = part.indexOf('=');
    const key = decode(at === -1 ? part : part.slice(0, at));
    return { key, value: at === -1 ? '' : decode(part.slice(at + 1)) };
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    const message = `The query has a broken percent-encoding: ${text.slice(0, 60)}`;
    throw new AppError('invalid_query', message, { cause });
  }
}

const steps = (key: string) => key.split(/[[\]]+/).filter((step) => step !== '');

function findBadKey({ key }: Pair): FieldFailure[] {
  const path = steps(key);
  const pointer = toPointer(path);
  const forbidden = path.find((step) => FORBIDDEN.has(step));
  if (forbidden !== undefined) {
    return [{ pointer, code: 'unknown_field', message: `"${forbidden}" is refused as a key` }];
  }
  if (path.length > DEPTH_MAX) {
    return [{ pointer, code: 'too_deep', message: `is nested deeper than ${DEPTH_MAX} levels` }];
  }
  return /^[^[\]]+(\[[^[\]]*\])*$/.test(key)
    ? []
    : [{ pointer, code: 'invalid_value', message: `"${key.slice(0, 60)}" has unbalanced brackets` }];
}

/** Lists without brackets (`status=a&status=b`) are let through to the schema, which knows whether it takes a list. */
function findRepeated(pairs: Pair[]): FieldFailure[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { key } of pairs) {
    if (key.includes('[') && !key.endsWith('[]') && seen.has(key)) repeated.add(key);
    seen.add(key);
  }
  return [...repeated].map((key) => ({
    pointer: toPointer(steps(key)),
    code: 'repeated',
    message: 'is given twice',
  }));
}

/** A scalar given twice reached the schema as a list: the sentence that helps is another one. */
function nameRepetition(failure: FieldFailure, pairs: Pair[]): FieldFailure {
  const times = pairs.filter(({ key }) => `/${key}` === failure.pointer).length;
  return times > 1 ? { ...failure, code: 'repeated', message: `is given ${times} times` } : failure;
}

function combine(pairs: Pair[]): Record<string, unknown> {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const { key, value } of pairs) {
    const before = query[key];
    query[key] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return query;
}

function parseNested(text: string): unknown {
  return qs.parse(text, {
    depth: DEPTH_MAX,
    parameterLimit: PAIRS_MAX,
    arrayLimit: PAIRS_MAX,
    allowDots: false,
    plainObjects: true,
    comma: false,
    duplicates: 'combine',
  });
}

function refusal(failures: FieldFailure[]): AppError {
  const named = failures
    .map(({ pointer, message }) => `${pointer.slice(1) || 'the query'}: ${message}`)
    .join('; ');
  return new AppError('invalid_query', `The query is not usable: ${named.slice(0, 500)}`, { failures });
}
