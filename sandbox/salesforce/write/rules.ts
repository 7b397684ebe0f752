import type { FieldValue, FieldValues, StoredRecord } from '../data/table.ts';
import { rowLock, type SalesforceError } from '../errors.ts';
import { toShortId } from '../ids.ts';
import type { SObject } from '../schema/org.ts';
import type { ValidationRule } from '../switches.ts';
import type { WriteContext } from './context.ts';

/** The admin's validation rules; each one that fails is an error of its own. */
export function checkValidationRules(
  object: SObject,
  values: FieldValues,
  context: WriteContext,
): SalesforceError[] {
  if (object.name !== 'Opportunity') return [];
  return context.switches.validation_rule
    .filter((rule) => isBroken(rule, values[rule.field] ?? null))
    .map(({ message, error_field }) => ({
      code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
      message,
      fields: error_field === undefined ? [] : [error_field],
    }));
}

function isBroken(rule: ValidationRule, value: FieldValue): boolean {
  if (rule.empty === true && value === null) return true;
  if (rule.equals !== undefined && value === rule.equals) return true;
  if (typeof value !== 'number') return false;
  return (rule.below !== undefined && value < rule.below) || (rule.above !== undefined && value > rule.above);
}

/** Uniqueness holds whatever the caller asked for. Source: SOAP API, DUPLICATE_VALUE. */
export function checkUnique(
  object: SObject,
  values: FieldValues,
  own: StoredRecord | undefined,
  { store }: WriteContext,
): SalesforceError[] {
  for (const field of object.fields) {
    const value = values[field.name] ?? null;
    if (!field.unique || value === null) continue;
    const other = store
      .table(object.name)
      .findBy(field.name, value)
      ?.find((record) => record !== own);
    if (other !== undefined) return [duplicateValue(field.name, other.id)];
  }
  return [];
}

export function duplicateValue(field: string, id: string): SalesforceError {
  const message = `duplicate value found: ${field} duplicates value on record with id: ${toShortId(id)}`;
  return { code: 'DUPLICATE_VALUE', message, fields: [] };
}

/** The admin's duplicate rule, off in a stock org. Source: REST API, Duplicate Rule Header. */
export function checkDuplicateRule(
  object: SObject,
  values: FieldValues,
  context: WriteContext,
): SalesforceError[] {
  const { switches, store } = context;
  const rule = switches.duplicate_rule;
  if (rule === false || object.name !== 'Opportunity' || (rule.allow_save && context.allowDuplicates))
    return [];
  const twin = (store.table(object.name).findBy('Name', values.Name ?? null) ?? []).find((record) =>
    rule.match.every((field) => (record.values[field] ?? null) === (values[field] ?? null)),
  );
  if (twin === undefined) return [];
  const message = 'Use one of these records?';
  // The key is misspelt in the real API: no "l" in duplicateResut.
  return [
    {
      code: 'DUPLICATES_DETECTED',
      message,
      extra: {
        duplicateResut: {
          allowSave: rule.allow_save,
          duplicateRule: 'Standard_Opportunity_Duplicate_Rule',
          duplicateRuleEntityType: 'Opportunity',
          errorMessage: message,
          matchResults: [matchResult(twin.id)],
        },
      },
    },
  ];
}

function matchResult(id: string): Record<string, unknown> {
  return {
    entityType: 'Opportunity',
    errors: [],
    matchEngine: 'ExactMatchEngine',
    matchRecords: [
      {
        additionalInformation: [],
        fieldDiffs: [],
        matchConfidence: 100,
        record: { attributes: { type: 'Opportunity' }, Id: id },
      },
    ],
    rule: 'Standard_Opportunity_Match_Rule',
    size: 1,
    success: true,
  };
}

/** Whether somebody holds the parent row: by the switch lock_next, or by a fault that hits some rows of a call. */
export function takeLock(values: FieldValues, { switches, isRowLocked }: WriteContext): SalesforceError[] {
  if (switches.lock_next > 0) switches.lock_next -= 1;
  else if (isRowLocked?.() !== true) return [];
  return [rowLock(toShortId(String(values.AccountId ?? values.OpportunityId ?? '001000000000000')))];
}
