import type { Answer } from '../core/provider.ts';
import { type CloseCall, isObject, type JsonObject, ok } from './call.ts';
import { badRequest, type FieldErrors, fieldErrors, fieldErrorsOnly } from './errors.ts';
import { keepFields, showOpportunity } from './show-opportunity.ts';
import { matchesWords, wordsOf } from './text-match.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 200;
const OBJECTS_MAX = 10_000;
/** A cursor dies after half a minute ("Advanced Filtering"). */
const CURSOR_MS = 30_000;
const TEXT_CURSOR = /^(\d+)@(\d+)$/;

type Condition = (shown: JsonObject) => boolean;

/** `POST /data/search/`: a tree of conditions over the search index, newest first, paged by cursor. */
export function searchData(call: CloseCall): Answer {
  const { body, state, nowMs } = call;
  if (!isObject(body)) return badRequest('The request body must be a JSON object.');
  const errors: FieldErrors = {};
  const condition = readQuery(body.query, errors);
  const limit = readLimit(body._limit, errors);
  if (Object.keys(errors).length > 0) return fieldErrors(errors);
  const offset = readCursor(body.cursor, nowMs);
  if (offset === undefined) return fieldErrorsOnly({ cursor: 'The cursor is invalid or has expired.' });

  const found = [...state.opportunities.search.all()]
    .reverse()
    .map((record) => showOpportunity(record, state))
    .filter(condition)
    .slice(0, OBJECTS_MAX);
  const page = found.slice(offset, offset + limit);
  const isLast = offset + page.length >= found.length;
  return ok({
    data: page.map((shown) => ({
      __object_type: 'opportunity',
      ...keepFields(shown, readFields(body._fields)),
    })),
    cursor: isLast ? null : Buffer.from(`${offset + page.length}@${nowMs}`).toString('base64url'),
    ...(body.include_counts === true ? { count: { limited: found.length, total: found.length } } : {}),
  });
}

/** Without `_fields` only the id comes back. */
function readFields(fields: unknown): string {
  const named = isObject(fields) ? fields.opportunity : undefined;
  return Array.isArray(named) ? named.join(',') : 'id';
}

function readLimit(value: unknown, errors: FieldErrors): number {
  if (value === undefined || value === null) return LIMIT_DEFAULT;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LIMIT_MAX) return value;
  errors._limit = `Input should be less than or equal to ${LIMIT_MAX}`;
  return LIMIT_DEFAULT;
}

function readCursor(cursor: unknown, nowMs: number): number | undefined {
  if (cursor === undefined || cursor === null) return 0;
  if (typeof cursor !== 'string') return undefined;
  const match = TEXT_CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  return match !== null && nowMs - Number(match[2]) <= CURSOR_MS ? Number(match[1]) : undefined;
}

function readQuery(query: unknown, errors: FieldErrors): Condition {
  const condition = isObject(query) ? readNode(query) : undefined;
  if (condition === undefined) errors.query = 'Invalid query.';
  return condition ?? (() => false);
}

function readNode(node: JsonObject): Condition | undefined {
  const condition = readPlainNode(node);
  return node.negate === true && condition !== undefined ? (shown) => !condition(shown) : condition;
}

function readPlainNode(node: JsonObject): Condition | undefined {
  switch (node.type) {
    case 'and':
    case 'or': {
      if (!Array.isArray(node.queries)) return undefined;
      const parts = node.queries.map((part: unknown) => (isObject(part) ? readNode(part) : undefined));
      if (parts.includes(undefined)) return undefined;
      const isAnd = node.type === 'and';
      return (shown) => {
        const holds = (part: Condition | undefined) => part?.(shown) === true;
        return isAnd ? parts.every(holds) : parts.some(holds);
      };
    }
    case 'object_type':
      return () => node.object_type === 'opportunity';
    case 'match_all':
      return () => true;
    case 'id':
      return (shown) => shown.id === node.value;
    case 'field_condition':
      return readFieldCondition(node);
    default:
      return undefined;
  }
}

function readFieldCondition({ field, condition }: JsonObject): Condition | undefined {
  if (!isObject(field) || !isObject(condition)) return undefined;
  const key = field.type === 'custom_field' ? `custom.${field.custom_field_id}` : String(field.field_name);
  const test = readTest(condition);
  return test === undefined ? undefined : (shown) => test(shown[key]);
}

function readTest(condition: JsonObject): ((value: unknown) => boolean) | undefined {
  const { type, mode } = condition;
  if (type === 'exists') return (value) => value !== undefined && value !== null;
  if (type === 'text' && typeof condition.value === 'string') {
    const wanted = condition.value;
    const words = wordsOf(wanted);
    if (mode === 'exact_value') return (value) => value === wanted;
    if (mode === 'full_words' || mode === 'phrase') {
      return (value) => typeof value === 'string' && matchesWords(value, words);
    }
    if (mode === 'beginning_of_words') {
      return (value) => typeof value === 'string' && ` ${wordsOf(value)}`.includes(` ${words}`);
    }
    return undefined;
  }
  if (type === 'term' && Array.isArray(condition.values)) {
    const values: unknown[] = condition.values;
    return (value) => values.includes(value);
  }
  if (type === 'reference' && Array.isArray(condition.object_ids)) {
    const ids: unknown[] = condition.object_ids;
    return (value) => ids.includes(value);
  }
  return undefined;
}
