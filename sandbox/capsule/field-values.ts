import { isObject } from './call.ts';
import { isDate } from './dates.ts';
import type { FieldDefinition } from './directory.ts';
import type { Failures } from './errors.ts';
import type { FieldRow } from './opportunity.ts';
import type { CapsuleState } from './state.ts';

/** Applies the `fields` of a request to the rows there are. A row is named by its id or by its definition. */
export function applyFields(
  given: unknown,
  rows: readonly FieldRow[],
  state: CapsuleState,
  failures: Failures,
): readonly FieldRow[] {
  if (given === undefined || given === null) return rows;
  if (!Array.isArray(given)) {
    failures.add('fields', 'invalid type for field');
    return rows;
  }
  let changed = rows;
  for (const item of given) changed = applyItem(item, changed, state, failures);
  return changed;
}

function applyItem(
  item: unknown,
  rows: readonly FieldRow[],
  state: CapsuleState,
  failures: Failures,
): readonly FieldRow[] {
  if (!isObject(item)) {
    failures.add('fields', 'invalid type for field');
    return rows;
  }
  const byRow = rows.find((row) => row.id === item.id);
  if (item._delete === true) {
    if (byRow === undefined) failures.add('fields', 'field not found to delete');
    return rows.filter((row) => row !== byRow);
  }
  const definition = state.definitions.get(byRow?.definitionId ?? readDefinitionId(item.definition));
  if (definition === undefined) {
    failures.add('field.definition', 'definition not found');
    return rows;
  }
  const value = readValue(definition, item.value);
  if (typeof value === 'object') {
    failures.add('field.value', value.problem);
    return rows;
  }
  const current = rows.find((row) => row.definitionId === definition.id);
  const others = rows.filter((row) => row !== current);
  // No row at all for a cleared field, nor for a boolean that is false.
  if (value === undefined || value === false) return others;
  const id = current?.id ?? state.nextFieldRowId();
  return [...others, { id, definitionId: definition.id, value }];
}

/** The vendor's own client sends the bare id, the page an object; both work. */
function readDefinitionId(definition: unknown): number {
  const id = isObject(definition) ? definition.id : definition;
  return typeof id === 'number' ? id : Number.NaN;
}

type Problem = { problem: string };
const WRONG_TYPE: Problem = { problem: 'invalid type for field' };

/** The value as stored, undefined for "cleared", or what is wrong with it. */
function readValue(definition: FieldDefinition, value: unknown): string | boolean | undefined | Problem {
  if (definition.type === 'boolean') return typeof value === 'boolean' ? value : WRONG_TYPE;
  if (value === null || value === undefined || value === '') return undefined;
  switch (definition.type) {
    case 'number':
      return readNumber(value);
    case 'date':
      return isDate(value) ? value : { problem: 'invalid date' };
    case 'list':
      return isOption(value, definition) ? value : { problem: 'invalid option for field' };
    case 'multiselect':
      return readSeveral(definition, value);
    default:
      return typeof value === 'string' ? value : WRONG_TYPE;
  }
}

/** A number may be sent as one or as text; it always reads back as text. */
function readNumber(value: unknown): string | Problem {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? value : WRONG_TYPE;
}

/** Several options are one text, joined by semicolons. */
function readSeveral(definition: FieldDefinition, value: unknown): string | Problem {
  if (typeof value !== 'string') return WRONG_TYPE;
  const parts = value.split(';').map((part) => part.trim());
  return parts.every((part) => isOption(part, definition))
    ? parts.join(';')
    : { problem: 'invalid option for field' };
}

function isOption(value: unknown, definition: FieldDefinition): value is string {
  return typeof value === 'string' && definition.options?.includes(value) === true;
}
