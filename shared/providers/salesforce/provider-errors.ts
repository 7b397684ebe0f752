import type { FieldFailure, FieldFailureCode } from '../../domain/failure.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { ProviderRequest } from '../port.ts';
import { pointerOf } from './field-pointers.ts';
import { isSameId } from './record-id.ts';
import { ProviderError, TokenError } from './responses.ts';

/** One error of an answer, whichever of Salesforce's shapes it came in. */
export type ReadError = { code: string; message: string; fields: string[] };

/**
 * Errors of an answer: an array (single calls), one bare object, or an OAuth error object.
 * Whatever does not parse is no error.
 */
export function readErrors(body: unknown): ReadError[] {
  const items: unknown[] = Array.isArray(body) ? body : [body];
  return items.flatMap((item) => {
    const error = ProviderError.safeParse(item);
    const code = error.success ? (error.data.errorCode ?? error.data.statusCode) : undefined;
    if (error.success && code !== undefined) {
      return [{ code, message: redactValue(error.data.message ?? code), fields: error.data.fields ?? [] }];
    }
    const oauth = TokenError.safeParse(item);
    if (!oauth.success) return [];
    return [
      { code: oauth.data.error, message: oauth.data.error_description ?? oauth.data.error, fields: [] },
    ];
  });
}

/** "… data value too large: THE WHOLE VALUE (max length=120)" without the value: it is the customer's. */
function redactValue(message: string): string {
  return message.replace(
    /(data value too large: ).*( \(max length=\d+\))/s,
    (_, before: string, after: string) => `${before}[left out]${after}`,
  );
}

/** Texts that name fields instead of listing them in `fields`. */
const FIELD_LISTS = [
  /Required fields are missing: \[([^\]]*)\]/,
  /Unable to create\/update fields: ([\w, ]+)/,
];
const FIELD_NAMES = [
  /No such column '([^']+)'/,
  /duplicate value found: (\w+) duplicates/,
  /not found for field (\w+) in entity/,
];

/** Errors whose code alone says which field is meant. */
const FIELD_OF_CODE: Record<string, string> = { INACTIVE_OWNER_OR_USER: 'OwnerId' };

/** The error's fields as pointers into our body, each with the provider's words. */
export function toFieldFailures(error: ReadError, request: ProviderRequest): FieldFailure[] {
  const onOpportunity = /\/sobjects\/Opportunity(?:\/|$)/i.test(request.path);
  const pointers = namedFields(error, request).map((field) => ({
    field,
    pointer: onOpportunity ? pointerOf(field) : '/contact',
  }));
  return pointers.map(({ field, pointer }) => ({
    pointer,
    code: codeOf(error.code, field),
    message: error.message,
  }));
}

function codeOf(errorCode: string, field: string): FieldFailureCode {
  if (errorCode === 'REQUIRED_FIELD_MISSING') return 'missing_required_fields';
  if (errorCode === 'INVALID_FIELD' && /__c$/i.test(field)) return 'custom_field_not_found';
  if (errorCode === 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST' && field === 'StageName')
    return 'stage_not_found';
  return 'provider_validation';
}

function namedFields(error: ReadError, request: ProviderRequest): string[] {
  if (error.fields.length > 0) return error.fields;
  for (const pattern of FIELD_LISTS) {
    const list = pattern.exec(error.message)?.[1];
    if (list !== undefined)
      return list
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
  }
  for (const pattern of FIELD_NAMES) {
    const name = pattern.exec(error.message)?.[1];
    if (name !== undefined) return [name];
  }
  const byCode = FIELD_OF_CODE[error.code];
  if (byCode !== undefined) return [byCode];
  const found = findFieldByPlace(error.message, request.body) ?? findFieldById(error.message, request.body);
  return found === undefined ? [] : [found];
}

function findFieldByPlace(message: string, body: unknown): string | undefined {
  return isJsonObject(body) ? findFieldAtColumn(message, JSON.stringify(body), body) : undefined;
}

/** How far before a place its key is looked for: mostly near, at most as far as a value may be long. */
const PLACE_CHARS = [1_000, 200_000];

/**
 * The field of `record` whose value holds the place a parser error names: "[line:1, column:N]" of `sent`, the JSON text that
 * holds the record.
 */
export function findFieldAtColumn(
  message: string,
  sent: string,
  record: Record<string, unknown>,
): string | undefined {
  const column = /\[line:1, column:(\d+)\]/.exec(message)?.[1];
  if (column === undefined) return undefined;
  for (const chars of PLACE_CHARS) {
    const before = sent.slice(Math.max(0, Number(column) - chars), Number(column));
    const keys = [...before.matchAll(/"((?:[^"\\]|\\.)+)":/g)].map((match) => match[1] ?? '');
    const found = keys.findLast((key) => Object.hasOwn(record, key));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The field whose id the message names; Salesforce prints 15 of its 18 characters. */
function findFieldById(message: string, body: unknown): string | undefined {
  if (!isJsonObject(body)) return undefined;
  const ids = message.match(/\b[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b/g) ?? [];
  return Object.entries(body).find(
    ([, value]) => typeof value === 'string' && ids.some((id) => isSameId(id, value)),
  )?.[0];
}
