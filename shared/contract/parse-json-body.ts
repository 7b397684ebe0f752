import { AppError } from '../app-error.ts';
import type { FieldFailureCode } from '../domain/failure.ts';
import { decimalText } from '../domain/money.ts';
import { toPointer } from './validation-failures.ts';

/** A body deeper than the model allows anywhere; `remote_data` has its own, tighter bound. */
const DEPTH_MAX = 32;

/** Digits an amount may have so that it is exact as a JSON number. */
const DIGITS_MAX = 15;

/** Only a run like this can hold a number with more than 15 digits; most bodies are done after this one look. */
const LONG_NUMBER = /\d[\d.]{15}/;

type Path = (string | number)[];
type Sources = Map<object, Map<string, string>>;

/**
 * Parses a JSON body and refuses what no schema can see: a number that JavaScript would change silently, a key that
 * reaches for the prototype, nesting without end.
 * @throws AppError `invalid_json` or `invalid_body`.
 */
export function parseJsonBody(text: string): unknown {
  const sources: Sources | undefined = LONG_NUMBER.test(text) ? new Map() : undefined;
  const value = parse(text, sources);
  if (typeof value === 'object' && value !== null) inspect(value, sources);
  return value;
}

function parse(text: string, sources: Sources | undefined): unknown {
  if (text.trim() === '') throw new AppError('invalid_json', 'The body is empty; send one JSON object.');
  try {
    return sources === undefined ? JSON.parse(text) : parseWithSources(text, sources);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.slice(0, 200) : '';
    throw new AppError('invalid_json', `The body is not valid JSON: ${why}`, { cause });
  }
}

function parseWithSources(text: string, sources: Sources): unknown {
  function keepSource(this: unknown, key: string, value: unknown, context?: { source?: string }): unknown {
    if (typeof value === 'number' && context?.source && typeof this === 'object' && this !== null) {
      const ofHolder = sources.get(this) ?? new Map<string, string>();
      sources.set(this, ofHolder.set(key, context.source));
    }
    return value;
  }
  return JSON.parse(text, keepSource);
}

/** Walks without recursion: a body of 500,000 brackets must not end our stack. */
function inspect(root: object, sources: Sources | undefined): void {
  const todo: { value: object; path: Path }[] = [{ value: root, path: [] }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { value, path } = next;
    if (path.length >= DEPTH_MAX) {
      refuse(path.slice(0, 4), 'too_deep', `is nested deeper than ${DEPTH_MAX} levels`);
    }
    if (Object.hasOwn(value, '__proto__')) {
      refuse([...path, '__proto__'], 'unknown_field', '"__proto__" is refused as a key');
    }
    if (sources) refuseInexact(sources.get(value), path);
    for (const [key, child] of Object.entries(value)) {
      if (typeof child === 'object' && child !== null) todo.push({ value: child, path: [...path, key] });
    }
  }
}

function refuseInexact(ofHolder: Map<string, string> | undefined, path: Path): void {
  if (!ofHolder) return;
  for (const [key, source] of ofHolder) {
    const passedOn = path.includes('remote_data') || path.includes('custom_fields');
    const sentence = key === 'amount' && !passedOn ? inexactAmount(source) : undefined;
    if (sentence !== undefined) refuse([...path, key], 'not_exact', sentence);
    if (passedOn && !isExact(source)) {
      refuse([...path, key], 'not_exact', 'cannot be kept exactly as a JSON number; send it as text');
    }
  }
}

/** What is wrong with an amount that has more digits than a JSON number keeps, or undefined; `source` as it was written. */
export function inexactAmount(source: string): string | undefined {
  if (significantDigits(source) <= DIGITS_MAX) return undefined;
  return `has more than ${DIGITS_MAX} significant digits: ${source.slice(0, 40)}`;
}

/** Digits of a JSON number without leading and trailing zeros. */
function significantDigits(source: string): number {
  const mantissa = source.replace(/[eE].*$/, '').replaceAll(/[-.]/g, '');
  return mantissa.replace(/^0+/, '').replace(/0+$/, '').length;
}

/** Whether the number still has the digits it was written with. */
function isExact(source: string): boolean {
  const value = Number(source);
  if (!Number.isFinite(value)) return true; // Refused by the schema, with a better sentence.
  const digits = (text: string) =>
    text
      .replace(/[eE].*$/, '')
      .replaceAll(/[-.]/g, '')
      .replace(/^0+/, '')
      .replace(/0+$/, '');
  return digits(decimalText(value)) === digits(source);
}

function refuse(path: Path, code: FieldFailureCode, message: string): never {
  throw new AppError('invalid_body', undefined, { failures: [{ pointer: toPointer(path), code, message }] });
}
