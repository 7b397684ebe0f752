import type { FieldValue, StoredRecord } from '../data/table.ts';
import { RestFailure } from '../errors.ts';
import { findLongId } from '../ids.ts';
import type { Field } from '../schema/field.ts';
import type { SObject } from '../schema/org.ts';
import type { OrgState } from '../write/context.ts';
import type { Condition, Literal, Operator, Query } from './parse.ts';
import { type Column, resolvePath } from './resolve.ts';
import { pointAt } from './tokens.ts';

export type Predicate = (record: StoredRecord) => boolean;

export type FilterContext = {
  object: SObject;
  text: string;
  state: OrgState;
  /** Runs the inner query of a semi-join and gives its single column. */
  readColumn: (subquery: Query) => FieldValue[];
};

/** A WHERE clause as a function; column, type and operator errors come out here. */
export function compileCondition(condition: Condition, context: FilterContext): Predicate {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map((part) => compileCondition(part, context));
      return (record) => parts.every((part) => part(record));
    }
    case 'or': {
      const parts = condition.parts.map((part) => compileCondition(part, context));
      return (record) => parts.some((part) => part(record));
    }
    case 'not': {
      const part = compileCondition(condition.part, context);
      return (record) => !part(record);
    }
    case 'compare':
      return compileComparison(condition, context);
  }
}

type Comparison = Extract<Condition, { kind: 'compare' }>;

function compileComparison(condition: Comparison, context: FilterContext): Predicate {
  const { object, text, state } = context;
  const column = resolvePath(condition.path, object, text, state);
  if (!column.field.filterable) {
    const message = `${pointAt(text, condition.path.at)}field '${column.field.name}' can not be filtered in a query call`;
    throw new RestFailure({ code: 'INVALID_FIELD', message });
  }
  const values =
    condition.subquery === undefined
      ? condition.values.map((literal) => operand(literal, column, state, pointAt(text, condition.path.at)))
      : context.readColumn(condition.subquery);
  const test = comparison(condition.operator, values.map(folded));
  return (record) => test(folded(column.value(record)));
}

/** The literal as the column keeps it. */
function operand(literal: Literal, { field }: Column, state: OrgState, where: string): FieldValue {
  if (literal.kind === 'null') return null;
  const wanted = literalKind(field);
  if (literal.kind === 'date_word') {
    const ms = dayOf(String(literal.value), state.nowMs());
    if (wanted === 'datetime') return ms;
    if (wanted === 'date') return new Date(ms).toISOString().slice(0, 10);
  }
  if (literal.kind !== wanted) {
    const quotes = wanted === 'string' ? 'should be enclosed in quotes' : 'should not be enclosed in quotes';
    const kind = field.type === 'currency' || field.type === 'percent' ? 'double' : field.type;
    const message = `${where}value of filter criterion for field '${field.name}' must be of type ${kind} and ${quotes}`;
    throw new RestFailure({ code: 'INVALID_FIELD', message });
  }
  if (field.type !== 'id' && field.type !== 'reference') return literal.value;
  const id = findLongId(String(literal.value));
  if (id !== undefined || literal.value === '') return id ?? null;
  const message = `${where}invalid ID field: ${literal.value}`;
  throw new RestFailure({ code: 'INVALID_QUERY_FILTER_OPERATOR', message });
}

function literalKind(field: Field): Literal['kind'] {
  switch (field.type) {
    case 'boolean':
    case 'date':
    case 'datetime':
      return field.type;
    case 'currency':
    case 'percent':
    case 'double':
    case 'int':
      return 'number';
    default:
      return 'string';
  }
}

const dayMs = 86_400_000;

function dayOf(word: string, nowMs: number): number {
  const today = Math.floor(nowMs / dayMs) * dayMs;
  const days = Number(word.split(':')[1] ?? 0);
  if (word === 'YESTERDAY') return today - dayMs;
  if (word === 'TOMORROW') return today + dayMs;
  return word.startsWith('LAST') ? today - days * dayMs : today + days * dayMs;
}

/** Text is compared without regard to case. Source: SOQL and SOSL Reference, Comparison Operators. */
function folded(value: FieldValue): FieldValue {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

function comparison(operator: Operator, values: FieldValue[]): (value: FieldValue) => boolean {
  const [first = null] = values;
  switch (operator) {
    case '=':
      return (value) => value === first;
    case '!=':
      return (value) => value !== first;
    case '<':
      return (value) => value !== null && first !== null && value < first;
    case '<=':
      return (value) => value !== null && first !== null && value <= first;
    case '>':
      return (value) => value !== null && first !== null && value > first;
    case '>=':
      return (value) => value !== null && first !== null && value >= first;
    case 'LIKE': {
      const pattern = likePattern(String(first));
      return (value) => typeof value === 'string' && pattern.test(value);
    }
    case 'IN': {
      const set = new Set(values);
      return (value) => set.has(value);
    }
    case 'NOT IN': {
      const set = new Set(values);
      return (value) => !set.has(value);
    }
    case 'INCLUDES':
      return (value) => values.some((wanted) => includesAll(value, wanted));
    case 'EXCLUDES':
      return (value) => !values.some((wanted) => includesAll(value, wanted));
  }
}

/** `%` any text, `_` one character; values are folded already. */
function likePattern(text: string): RegExp {
  const escaped = text
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${escaped}$`, 's');
}

/** `'A;B'` asks for both in one multi-select value. Source: SOQL Reference, Querying Multi-Select Picklists. */
function includesAll(value: FieldValue, wanted: FieldValue): boolean {
  const chosen = typeof value === 'string' ? value.split(';') : [];
  return String(wanted)
    .split(';')
    .every((part) => chosen.includes(part));
}
