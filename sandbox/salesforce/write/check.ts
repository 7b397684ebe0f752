import type { FieldValue, FieldValues, StoredRecord } from '../data/table.ts';
import type { SalesforceError } from '../errors.ts';
import { findLongId, toShortId } from '../ids.ts';
import type { Field } from '../schema/field.ts';
import type { SObject } from '../schema/org.ts';
import type { WriteContext } from './context.ts';

type Operation = 'create' | 'update';

/** Columns the caller may not write, all in one error. Source: SOAP API, INVALID_FIELD_FOR_INSERT_UPDATE. */
export function checkWritable(written: Field[], operation: Operation): SalesforceError[] {
  const refused = written
    .filter((field) => !(operation === 'create' ? field.createable : field.updateable))
    .map((field) => field.name);
  if (refused.length === 0) return [];
  const message =
    `Unable to create/update fields: ${refused.join(', ')}. Please check the security settings of this ` +
    'field and verify that it is read/write for your profile or permission set.';
  return [{ code: 'INVALID_FIELD_FOR_INSERT_UPDATE', message, fields: refused }];
}

/** All missing required columns in one error. Source: SOAP API, REQUIRED_FIELD_MISSING. */
export function checkRequired(object: SObject, values: FieldValues, operation: Operation): SalesforceError[] {
  const missing = object.fields
    .filter((field) => !field.nillable && field.createable && isMissing(field, values, operation))
    .map((field) => field.name);
  if (missing.length === 0) return [];
  const message = `Required fields are missing: [${missing.join(', ')}]`;
  return [{ code: 'REQUIRED_FIELD_MISSING', message, fields: missing }];
}

function isMissing(field: Field, values: FieldValues, operation: Operation): boolean {
  const value = values[field.name];
  if (field.defaultedOnCreate) return value === null && field.type !== 'reference';
  return operation === 'create' ? (value ?? null) === null : value === null;
}

/** Length, picklist and reference rules of each value; ids are brought to their long form in place. */
export function checkValues(written: Field[], values: FieldValues, context: WriteContext): SalesforceError[] {
  const errors: SalesforceError[] = [];
  for (const field of written) {
    const value = values[field.name] ?? null;
    if (value === null) continue;
    const error =
      field.type === 'reference'
        ? checkReference(field, value, values, context)
        : (checkLength(field, value) ?? checkPicklist(field, value));
    if (error !== undefined) errors.push(error);
  }
  return errors;
}

/** Never truncated since v15. Source: Object Reference, Field Types, String. */
function checkLength(field: Field, value: FieldValue): SalesforceError | undefined {
  if (typeof value !== 'string' || field.length === 0 || value.length <= field.length) return undefined;
  const message = `${field.label}: data value too large: ${value} (max length=${field.length})`;
  return { code: 'STRING_TOO_LONG', message, fields: [field.name] };
}

function checkPicklist(field: Field, value: FieldValue): SalesforceError | undefined {
  if (!field.restrictedPicklist) return undefined;
  const isKnown = field.picklistValues.some((known) => known.active && known.value === value);
  if (isKnown) return undefined;
  const message = `${field.label}: bad value for restricted picklist field: ${value}`;
  return { code: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', message, fields: [field.name] };
}

function checkReference(
  field: Field,
  value: FieldValue,
  values: FieldValues,
  { org, store }: WriteContext,
): SalesforceError | undefined {
  const text = String(value);
  const id = findLongId(text);
  const target = org.object(field.referenceTo[0] ?? '');
  if (id === undefined || (target !== undefined && !id.startsWith(target.keyPrefix))) {
    const message = `${field.label}: id value of incorrect type: ${text}`;
    return { code: 'MALFORMED_ID', message, fields: [field.name] };
  }
  const record = target && store.table(target.name).get(id);
  if (record === undefined) return unknownReference(field, id);
  if (record.deleted) return { code: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] };
  if (field.name === 'OwnerId' && record.values.IsActive === false) return inactiveOwner(record);
  values[field.name] = id;
  return undefined;
}

/**
 * A parent that is not there looks like one the caller may not see. Source: SOAP API,
 * INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY and INVALID_CROSS_REFERENCE_KEY.
 */
function unknownReference(field: Field, id: string): SalesforceError {
  const isParent = ['AccountId', 'ContactId', 'OpportunityId'].includes(field.name);
  if (!isParent)
    return {
      code: 'INVALID_CROSS_REFERENCE_KEY',
      message: 'invalid cross reference id',
      fields: [field.name],
    };
  const message = `insufficient access rights on cross-reference id: ${toShortId(id)}`;
  return { code: 'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY', message, fields: [] };
}

function inactiveOwner(user: StoredRecord): SalesforceError {
  const message = `operation performed with inactive user [${toShortId(user.id)}] as owner of opportunity`;
  return { code: 'INACTIVE_OWNER_OR_USER', message, fields: ['OwnerId'] };
}
