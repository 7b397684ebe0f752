import type { FieldValue, StoredRecord } from '../data/table.ts';
import { RestFailure } from '../errors.ts';
import { columnValue } from '../read/represent.ts';
import type { Field } from '../schema/field.ts';
import type { SObject } from '../schema/org.ts';
import type { OrgState } from '../write/context.ts';
import type { Path } from './parse.ts';
import { pointAt } from './tokens.ts';

/** A column reached from a record, over parents where the path has several names. */
export type Column = {
  field: Field;
  /** Reference fields on the way, outermost first. */
  via: Field[];
  value(record: StoredRecord): FieldValue;
};

/** Resolves `Name` or `Account.Name`. Source: SOQL and SOSL Reference, Relationship Queries. */
export function resolvePath(path: Path, object: SObject, text: string, state: OrgState): Column {
  const via: Field[] = [];
  let current = object;
  const names = path.names[0]?.toLowerCase() === object.name.toLowerCase() ? path.names.slice(1) : path.names;
  for (const name of names.slice(0, -1)) {
    const reference = current.relationship(name);
    const target = reference && state.org.object(reference.referenceTo[0] ?? '');
    if (reference === undefined || target === undefined) throw noRelationship(name, current, path, text);
    via.push(reference);
    current = target;
  }
  const last = names.at(-1) ?? '';
  const field = current.field(last);
  if (field === undefined) throw noColumn(last, current, path, text);
  return { field, via, value: (record) => readThrough(record, via, field, state) };
}

function readThrough(record: StoredRecord, via: Field[], field: Field, state: OrgState): FieldValue {
  let current: StoredRecord | undefined = record;
  for (const reference of via) {
    const id: FieldValue = current.values[reference.name] ?? null;
    current = state.store.table(reference.referenceTo[0] ?? '').get(String(id));
    if (current === undefined) return null;
  }
  return columnValue(current, field);
}

function noColumn(name: string, object: SObject, path: Path, text: string): RestFailure {
  const message =
    `${pointAt(text, path.at)}No such column '${name}' on entity '${object.name}'. If you are attempting to use ` +
    "a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the " +
    'describe call for the appropriate names.';
  return new RestFailure({ code: 'INVALID_FIELD', message });
}

function noRelationship(name: string, object: SObject, path: Path, text: string): RestFailure {
  const message =
    `${pointAt(text, path.at)}Didn't understand relationship '${name}' in field path. If you are attempting to use ` +
    "a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your " +
    `WSDL or the describe call for the appropriate names. (${object.name})`;
  return new RestFailure({ code: 'INVALID_FIELD', message });
}

/** The object of a FROM; INVALID_TYPE for one the org does not have. */
export function resolveObject(name: string, at: number, text: string, { org }: OrgState): SObject {
  const object = org.object(name);
  if (object !== undefined) return object;
  const message =
    `${pointAt(text, at)}sObject type '${name}' is not supported. If you are attempting to use a custom object, be ` +
    "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the " +
    'appropriate names.';
  throw new RestFailure({ code: 'INVALID_TYPE', message });
}
