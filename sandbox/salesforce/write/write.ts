import { auditStamps } from '../data/seed.ts';
import type { FieldValues, StoredRecord } from '../data/table.ts';
import { RestFailure, type SalesforceError } from '../errors.ts';
import type { SObject } from '../schema/org.ts';
import { checkRequired, checkValues, checkWritable } from './check.ts';
import type { WriteContext } from './context.ts';
import {
  cascadeDelete,
  createPrimaryRole,
  derivedColumns,
  opportunityDefaults,
  settlePrimaryRole,
} from './opportunity.ts';
import { type Parsed, parseRecord } from './parse.ts';
import { checkDuplicateRule, checkUnique, checkValidationRules, takeLock } from './rules.ts';

export type Written = { id: string; created: boolean } | { errors: SalesforceError[] };

/** Creates one record; all checks come before the first change. */
export function insertRecord(object: SObject, body: Record<string, unknown>, context: WriteContext): Written {
  if (object.createable === false) return { errors: [cannotCreate(object)] };
  if (Object.keys(body).some((key) => key.toLowerCase() === 'id')) return { errors: [idInBody(object)] };
  const parsed = parseRecord(object, body, context);
  if ('errors' in parsed) return parsed;
  const { values, written } = parsed;
  const errors = firstOf([
    () => checkWritable(written, 'create'),
    () => checkRequired(object, values, 'create'),
    () => checkValues(written, values, context),
    () => takeLock(values, context),
    () => checkValidationRules(object, values, context),
    () => checkDuplicateRule(object, values, context),
    () => checkUnique(object, values, undefined, context),
  ]);
  if (errors.length > 0) return { errors };
  learnPicklists(parsed, context);
  const record = context.store.create(
    object.name,
    { ...defaultsFor(object, values, context), ...stampsFor(values, context) },
    { byCall: context.callNumber, lastCall: context.lastCallNumber() },
  );
  if (object.name === 'Opportunity') createPrimaryRole(record, context);
  if (object.name === 'OpportunityContactRole') settlePrimaryRole(record, context);
  return { id: record.id, created: true };
}

/** Changes one record. */
export function updateRecord(
  object: SObject,
  record: StoredRecord,
  body: Record<string, unknown>,
  context: WriteContext,
): Written {
  const parsed = parseRecord(object, body, context);
  if ('errors' in parsed) return parsed;
  const { values, written } = parsed;
  const after = { ...record.values, ...values };
  const errors = firstOf([
    () => checkWritable(written, 'update'),
    () => checkRequired(object, values, 'update'),
    () => checkValues(written, values, context),
    () => takeLock(after, context),
    () => checkValidationRules(object, after, context),
    () => checkUnique(object, values, record, context),
  ]);
  if (errors.length > 0) return { errors };
  learnPicklists(parsed, context);
  const { CreatedDate: _1, CreatedById: _2, ...stamps } = auditStamps(context.nowMs(), context.userId);
  const derived = object.name === 'Opportunity' ? derivedColumns(values, record.values) : {};
  context.store.table(object.name).update(record, { ...values, ...derived, ...stamps });
  if (object.name === 'OpportunityContactRole') settlePrimaryRole(record, context);
  return { id: record.id, created: false };
}

/** Moves one record to the Recycle Bin. */
export function deleteRecord(object: SObject, record: StoredRecord, context: WriteContext): void {
  context.store.table(object.name).remove(record);
  cascadeDelete(object.name, record, context);
}

/** The object named in a URL or record; 404 for one the org does not have. */
export function getObject(name: string, { org }: Pick<WriteContext, 'org'>): SObject {
  const object = org.object(name);
  if (object !== undefined) return object;
  throw new RestFailure({
    code: 'NOT_FOUND',
    message: 'The requested resource does not exist',
    status: 404,
  });
}

function firstOf(checks: (() => SalesforceError[])[]): SalesforceError[] {
  for (const check of checks) {
    const errors = check();
    if (errors.length > 0) return errors;
  }
  return [];
}

function defaultsFor(object: SObject, values: FieldValues, context: WriteContext): FieldValues {
  if (object.name === 'Opportunity') {
    const currency: FieldValues =
      object.field('CurrencyIsoCode') === undefined ? {} : { CurrencyIsoCode: 'USD' };
    return { ...currency, ...opportunityDefaults(values, context.userId) };
  }
  const defaults: FieldValues = {};
  for (const field of object.fields) if (field.type === 'boolean') defaults[field.name] = false;
  if (object.field('OwnerId') !== undefined) defaults.OwnerId = context.userId;
  if (object.name === 'Contact') {
    defaults.Name = [values.FirstName, values.LastName].filter((part) => part != null).join(' ');
  }
  return { ...defaults, ...values };
}

function stampsFor(values: FieldValues, context: WriteContext): FieldValues {
  const stamps = auditStamps(context.nowMs(), context.userId);
  const stated = values.CreatedDate ?? null;
  return stated === null ? stamps : { ...stamps, CreatedDate: stated };
}

function learnPicklists(parsed: Parsed, { org }: WriteContext): void {
  if ('errors' in parsed) return;
  for (const field of parsed.written) {
    const value = parsed.values[field.name];
    if (field.type === 'picklist' && typeof value === 'string') org.learn(field, value);
  }
}

/** Source: REST API, Create a Record: the id is Salesforce's to give. */
function idInBody(object: SObject): SalesforceError {
  const message = `The Id field should not be specified in the sobject data.`;
  return { code: 'INVALID_FIELD', message: `${message} (${object.name})` };
}

function cannotCreate(object: SObject): SalesforceError {
  const message = `entity type cannot be inserted: ${object.label}`;
  return { code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message, fields: [] };
}
