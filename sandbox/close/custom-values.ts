import { FIELD_TEXTS, type FieldErrors } from './errors.ts';
import type { CustomField } from './organisation.ts';
import type { CloseState } from './state.ts';
import { parseDate, parseTimestamp } from './timestamps.ts';

const PREFIX = 'custom.';
const ADD = '.add';
const REMOVE = '.remove';

export type CustomValues = Record<string, unknown>;

/**
 * Applies the custom keys of a request body to `values` and notes what is wrong. Today's form is one key per field,
 * `custom.cf_…`; `custom.<Name>` and a `custom` object are deprecated and still work ("Custom Fields").
 */
export function applyCustomKeys(
  body: Record<string, unknown>,
  values: CustomValues,
  errors: FieldErrors,
  state: CloseState,
  isUpdate: boolean,
): void {
  for (const key in body) {
    if (key === 'custom') applyDict(body.custom, values, errors, state);
    else if (key.startsWith(PREFIX)) applyKey(key, body[key], values, errors, state, isUpdate);
  }
}

function applyDict(dict: unknown, values: CustomValues, errors: FieldErrors, state: CloseState): void {
  if (typeof dict !== 'object' || dict === null) return;
  for (const [name, value] of Object.entries(dict)) {
    setValue(findField(name, state), `${PREFIX}${name}`, value, values, errors, state);
  }
}

function applyKey(
  key: string,
  value: unknown,
  values: CustomValues,
  errors: FieldErrors,
  state: CloseState,
  isUpdate: boolean,
): void {
  const change = key.endsWith(ADD) ? ADD : key.endsWith(REMOVE) ? REMOVE : undefined;
  const name = key.slice(PREFIX.length, change === undefined ? undefined : -change.length);
  const field = findField(name, state);
  if (change === undefined || !isUpdate || field === undefined || !field.acceptsMultiple) {
    setValue(field, key, value, values, errors, state);
    return;
  }
  const current = listOf(values[field.id]);
  const given = listOf(value);
  const changed =
    change === ADD
      ? [...current, ...given.filter((item) => !current.includes(item))]
      : current.filter((item) => !given.includes(item));
  setValue(field, key, changed, values, errors, state);
}

function setValue(
  field: CustomField | undefined,
  key: string,
  value: unknown,
  values: CustomValues,
  errors: FieldErrors,
  state: CloseState,
): void {
  // Unknown keys are ignored, and nothing says so.
  if (field === undefined) return;
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) {
    delete values[field.id];
    return;
  }
  if (Array.isArray(value) && !field.acceptsMultiple) {
    errors[key] = field.type === 'number' ? FIELD_TEXTS.notANumber : FIELD_TEXTS.notText;
    return;
  }
  for (const item of listOf(value)) {
    const text = checkItem(field, item, state);
    if (text !== undefined) {
      errors[key] = text;
      return;
    }
  }
  values[field.id] = field.acceptsMultiple ? listOf(value) : value;
}

/** What is wrong with one value of a field, if anything. */
function checkItem(field: CustomField, item: unknown, state: CloseState): string | undefined {
  switch (field.type) {
    case 'text':
      return typeof item === 'string' ? undefined : FIELD_TEXTS.notText;
    case 'number':
      return typeof item === 'number' ? undefined : FIELD_TEXTS.notANumber;
    case 'date':
      return parseDate(item) === undefined ? FIELD_TEXTS.notADate : undefined;
    case 'datetime':
      return parseTimestamp(item) === undefined ? FIELD_TEXTS.notADateTime : undefined;
    case 'choices':
      return field.choices?.some((choice) => choice === item) ? undefined : FIELD_TEXTS.notAChoice;
    case 'user':
      return typeof item === 'string' && state.users.has(item) ? undefined : FIELD_TEXTS.missingObject;
    case 'contact':
      return typeof item === 'string' && state.contacts.has(item) ? undefined : FIELD_TEXTS.missingObject;
  }
}

function findField(nameOrId: string, state: CloseState): CustomField | undefined {
  const byId = state.customFields.get(nameOrId);
  if (byId !== undefined) return byId;
  for (const field of state.customFields.values()) if (field.name === nameOrId) return field;
  return undefined;
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
