import type { Answer } from '../core/provider.ts';
import { type CloseCall, isObject, ok } from './call.ts';
import { badRequest, FIELD_TEXTS, type FieldErrors, fieldErrors, missingRecord } from './errors.ts';
import { type CustomField, type CustomFieldType, FIRST_USER_ID, ORGANISATION_ID } from './organisation.ts';

const TYPES: readonly CustomFieldType[] = [
  'text',
  'number',
  'date',
  'datetime',
  'choices',
  'user',
  'contact',
];

/** The fields of opportunities alone. Sends neither has_more nor a cursor, as some of Close's lists do. */
export function listCustomFields(call: CloseCall): Answer {
  const own = [...call.state.customFields.values()].filter((field) => !field.isShared);
  return ok({ data: own.map(showField) });
}

export function getCustomField(call: CloseCall): Answer {
  const field = call.state.customFields.get(call.id);
  return field === undefined || field.isShared ? missingRecord('CustomField') : ok(showField(field));
}

/** All fields an opportunity can have; the only place where shared ones show ("Custom Field Schemas"). */
export function getCustomFieldSchema(call: CloseCall): Answer {
  return ok({
    object_type: 'opportunity',
    fields: [...call.state.customFields.values()].map((field) => ({
      ...showField(field),
      is_shared: field.isShared,
      required: false,
    })),
  });
}

export function createCustomField(call: CloseCall): Answer {
  const { body, state } = call;
  if (!isObject(body)) return badRequest('The request body must be a JSON object.');
  const errors: FieldErrors = {};
  const name = typeof body.name === 'string' ? body.name.trim() : '';
  const type = TYPES.find((known) => known === body.type);
  const choices = readChoices(body.choices);
  if (name === '') errors.name = FIELD_TEXTS.required;
  else if ([...state.customFields.values()].some((field) => field.name === name)) {
    errors.name = 'A custom field with this name already exists.';
  }
  if (type === undefined)
    errors.type = body.type === undefined ? FIELD_TEXTS.required : FIELD_TEXTS.notAChoice;
  if (type === 'choices' && choices === undefined) errors.choices = 'List must not be empty.';
  if (type === undefined || Object.keys(errors).length > 0) return fieldErrors(errors);
  const field: CustomField = {
    id: state.nextId('cf'),
    name,
    type,
    acceptsMultiple: body.accepts_multiple_values === true,
    choices: type === 'choices' ? (choices ?? null) : null,
    isShared: false,
  };
  state.customFields.set(field.id, field);
  return ok(showField(field));
}

function readChoices(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const choices = value.filter((choice) => typeof choice === 'string');
  return choices.length > 0 ? choices : undefined;
}

function showField(field: CustomField): Record<string, unknown> {
  return {
    id: field.id,
    name: field.name,
    description: null,
    type: field.type,
    accepts_multiple_values: field.acceptsMultiple,
    ...(field.choices === null ? {} : { choices: field.choices }),
    editable_with_roles: [],
    organization_id: ORGANISATION_ID,
    created_by: FIRST_USER_ID,
    updated_by: FIRST_USER_ID,
  };
}
