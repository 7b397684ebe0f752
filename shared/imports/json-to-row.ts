import { AppError } from '../app-error.ts';
import { parseJsonBody } from '../contract/parse-json-body.ts';
import type { FieldFailure } from '../domain/failure.ts';
import { isJsonObject } from '../providers/merge-remote-data.ts';
import { closeGaps, put } from './build-body.ts';
import type { RowContent } from './cells-to-row.ts';
import { checkDedupeKey } from './dedupe-key.ts';
import type { ColumnTarget } from './plan-columns.ts';
import { DEDUPE_KEY } from './unified-paths.ts';

/** What becomes of the keys that a mapping names; the others stay as they are. */
export type KeyTargets = ReadonlyMap<string, ColumnTarget>;

/** The unified body of one JSON record; what is wrong with it is a failure of the row. Pure. */
export function jsonToRow(text: string, mapped?: KeyTargets): RowContent {
  const parsed = parse(text, mapped);
  if (!parsed.ok)
    return { original: parsed.isKept ? compact(text) : JSON.stringify(text), failures: parsed.failures };
  const original = compact(text);
  const { value } = parsed;
  if (!isJsonObject(value)) return { original, failures: [notAnObject(value)] };
  const { [DEDUPE_KEY]: given, ...body } = value;
  const { key, failures } = checkDedupeKey(given);
  return key === undefined ? { original, body, failures } : { original, body, dedupeKey: key, failures };
}

type Parsed =
  | { ok: true; value: unknown }
  /** `isKept`: the record is JSON that others can read again; else it is kept as a text. */
  | { ok: false; isKept: boolean; failures: FieldFailure[] };

function parse(text: string, mapped: KeyTargets | undefined): Parsed {
  try {
    return { ok: true, value: parseJsonBody(mapped === undefined ? text : moveKeys(text, mapped)) };
  } catch (err) {
    const failures = err instanceof AppError ? err.facts.failures : undefined;
    if (failures) {
      return { ok: false, isKept: failures.every(({ code }) => code !== 'too_deep'), failures };
    }
    const cause = err instanceof AppError ? err.cause : err;
    // The parser's own line and column would be those within the record.
    const why =
      cause instanceof Error ? cause.message.replace(/ \(line \d+ column \d+\)$/, '').slice(0, 200) : '';
    const failure: FieldFailure = { pointer: '', code: 'invalid_json', message: `is not valid JSON: ${why}` };
    return { ok: false, isKept: false, failures: [failure] };
  }
}

/** Not in TypeScript's library yet. @see https://github.com/tc39/proposal-json-parse-with-source */
const rawJSON: (source: string) => unknown = Reflect.get(JSON, 'rawJSON');

/** The record with its mapped keys at their places, as text again: numbers keep their digits until the parser that counts them. */
function moveKeys(text: string, mapped: KeyTargets): string {
  const keepSource = (_: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source ? rawJSON(context.source) : value;
  const record: unknown = JSON.parse(text, keepSource);
  if (!isJsonObject(record)) return text;
  // Without a prototype, so that a key "__proto__" arrives at the parser that refuses it.
  const body: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(record)) {
    const target = mapped.get(key);
    if (target === undefined) body[key] = value;
  }
  for (const [key, target] of mapped) {
    if (target.kind === 'ignored' || !Object.hasOwn(record, key)) continue;
    put(body, target.kind === 'dedupe_key' ? [DEDUPE_KEY] : target.steps, record[key]);
  }
  closeGaps(body);
  return JSON.stringify(body);
}

function notAnObject(value: unknown): FieldFailure {
  const kind = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
  return { pointer: '', code: 'wrong_type', message: `must be an object, not ${kind}` };
}

/** On one line, every token as it was written. */
function compact(text: string): string {
  return /[\r\n]/.test(text) ? text.replaceAll(/("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g, '$1') : text;
}
