import type { Warning } from '../../domain/failure.ts';
import type { AccountFacts } from '../../domain/integrated-account.ts';
import { findCustomField, guessForeignOwner, listCustomFields } from '../find-custom-field.ts';
import { fail, type MappingNotes } from '../mapping-notes.ts';
import { isJsonObject, pointerSegment } from '../merge-remote-data.ts';
import type { WritePlan } from '../port.ts';
import { bodyOf } from './plan-body.ts';

const PREFIX = 'custom.';
const FIELD_ID = /^cf_\w+$/;

/** `cf_…` of a key given with or without the `custom.` prefix, else undefined. */
export function fieldIdOf(key: string): string | undefined {
  const id = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
  return FIELD_ID.test(id) ? id : undefined;
}

/**
 * Key of a custom field in Close's body: one flat key with a literal dot.
 * @see https://developer.close.com/api/resources/custom-fields
 */
export function bodyKeyOf(fieldId: string): string {
  return `${PREFIX}${fieldId}`;
}

/**
 * `custom_fields` as keys of Close's body. Close says nothing about an unknown key and drops it, so every key
 * is looked up as soon as the account's fields are known. A null is left out: a new record has no value yet.
 */
export function mapCustomFields(
  given: Record<string, unknown>,
  facts: AccountFacts | undefined,
  reserved: string | undefined,
  notes: MappingNotes,
): Record<string, unknown> {
  const mapped: Record<string, unknown> = {};
  const seen = new Map<string, string>();
  for (const [key, value] of Object.entries(given)) {
    const pointer = `/custom_fields/${pointerSegment(key)}`;
    const id = resolveKey(key, pointer, facts, notes);
    if (id === undefined) continue;
    const twin = seen.get(id);
    seen.set(id, key);
    if (twin !== undefined) fail(notes, pointer, 'invalid_body', `is the same field as "${twin}"`);
    else if (id === reserved)
      fail(notes, pointer, 'invalid_body', 'is the field this account uses for its write marker');
    else if (!isWritable(value))
      fail(
        notes,
        pointer,
        'invalid_body',
        'must be text, a number, true, false, null or a list of such values',
      );
    else if (value !== null) mapped[bodyKeyOf(id)] = value;
  }
  return mapped;
}

function resolveKey(
  key: string,
  pointer: string,
  facts: AccountFacts | undefined,
  notes: MappingNotes,
): string | undefined {
  const id = fieldIdOf(key);
  // Fields may be hidden from these credentials; then only Close itself can tell.
  if (id !== undefined && (facts === undefined || facts.features.customFieldsHidden === true)) return id;
  const found = facts && findCustomField(id ?? key, facts);
  if (found?.kind === 'one') return found.fact.key;
  if (found?.kind === 'several')
    return fail(
      notes,
      pointer,
      'custom_field_not_found',
      `several custom fields are called "${key}": ${listCustomFields(found.facts)}; use the id`,
    );
  if (guessForeignOwner(key) === 'Salesforce')
    return fail(
      notes,
      pointer,
      'custom_field_not_found',
      `"${key}" looks like a Salesforce field; custom fields of Close have ids as cf_…`,
    );
  if (facts === undefined) return undefined;
  notes.staleFacts = true;
  return fail(
    notes,
    pointer,
    'custom_field_not_found',
    `no custom field "${key}" on opportunities; the account has: ${listCustomFields(facts.customFields)}`,
  );
}

function isWritable(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object');
  return value === null || typeof value !== 'object';
}

/**
 * Close ignores a key it does not know, so that the value of a field deleted there is gone without an error. Its answers are whole
 * records; what an adopted create left us is only an id.
 */
export function notKept(plan: WritePlan, record: unknown): Warning[] {
  if (!isJsonObject(record) || !('lead_id' in record)) return [];
  return Object.entries(bodyOf(plan)).flatMap(([key, value]) => {
    const id = key.startsWith('custom.') ? fieldIdOf(key) : undefined;
    const isEmpty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
    if (id === undefined || isEmpty || key in record) return [];
    const pointer = `/custom_fields/${pointerSegment(id)}`;
    const message = `Close did not keep ${id}: the field may have been deleted there.`;
    return [{ code: 'field_not_kept' as const, pointer, message }];
  });
}
