import type { AccountFacts, CustomFieldFact } from '../../domain/integrated-account.ts';
import { decimalText } from '../../domain/money.ts';
import { isRealDate } from '../../domain/opportunity.ts';
import { findCustomField, guessForeignOwner, listCustomFields } from '../find-custom-field.ts';
import { fail, type MappingNotes } from '../mapping-notes.ts';
import { isJsonObject, pointerSegment } from '../merge-remote-data.ts';

/** @see https://developer.capsulecrm.com/v2/models/field_value */
export type FieldEntry = { definition: { id: number }; value: unknown };

/** A definition's id as `custom_fields` and settings write it. */
export function definitionIdOf(key: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(key) ? Number(key) : undefined;
}

/** The definition an entry of `fields` is about: `{"id": 1}` or the bare id, both are accepted by Capsule. */
export function definitionOf(entry: unknown): string | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { definition } = entry;
  const id = isJsonObject(definition) ? definition.id : definition;
  return typeof id === 'number' || typeof id === 'string' ? String(id) : undefined;
}

/** `custom_fields` by definition id or name. A null is left out: a new record has no value to clear. */
export function mapCustomFields(
  given: Record<string, unknown>,
  facts: AccountFacts | undefined,
  reserved: string | undefined,
  notes: MappingNotes,
): FieldEntry[] {
  const entries: FieldEntry[] = [];
  const seen = new Map<number, string>();
  for (const [key, value] of Object.entries(given)) {
    const pointer = `/custom_fields/${pointerSegment(key)}`;
    const field = resolveKey(key, pointer, facts, notes);
    if (field === undefined) continue;
    const twin = seen.get(field.id);
    seen.set(field.id, key);
    if (twin !== undefined) fail(notes, pointer, 'invalid_body', `is the same field as "${twin}"`);
    else if (String(field.id) === reserved)
      fail(notes, pointer, 'invalid_body', 'is the field this account uses for its write marker');
    else {
      const written = toValue(value, field.fact);
      if (!written.ok) fail(notes, pointer, 'invalid_body', written.message);
      else if (written.value !== null) entries.push({ definition: { id: field.id }, value: written.value });
    }
  }
  return entries;
}

type Resolved = { id: number; fact: CustomFieldFact | undefined };

function resolveKey(
  key: string,
  pointer: string,
  facts: AccountFacts | undefined,
  notes: MappingNotes,
): Resolved | undefined {
  const id = definitionIdOf(key);
  if (facts === undefined && id !== undefined) return { id, fact: undefined };
  const found = facts && findCustomField(key, facts);
  if (found?.kind === 'one') return { id: Number(found.fact.key), fact: found.fact };
  const notFound = (message: string) => fail(notes, pointer, 'custom_field_not_found', message);
  if (found?.kind === 'several')
    return notFound(
      `several custom fields are called "${key}": ${listCustomFields(found.facts)}; use the id`,
    );
  const owner = guessForeignOwner(key);
  if (owner !== undefined)
    return notFound(
      `"${key}" looks like a field of ${owner}; Capsule's custom fields go by definition id or name`,
    );
  if (facts === undefined) return undefined;
  notes.staleFacts = true;
  return notFound(
    `no custom field "${key}" on opportunities; the account has: ${listCustomFields(facts.customFields)}`,
  );
}

type Value = { ok: true; value: string | boolean | null } | { ok: false; message: string };

const ok = (value: string | boolean | null): Value => ({ ok: true, value });
const bad = (message: string): Value => ({ ok: false, message });

/** One value in the form its type wants; without the definition, in the form Capsule would store it. */
function toValue(value: unknown, fact: CustomFieldFact | undefined): Value {
  const type = fact?.type.toLowerCase();
  if (type === 'boolean') return typeof value === 'boolean' ? ok(value) : bad('must be true or false');
  if (value === null) return ok(null);
  if (fact?.multiple || (fact === undefined && Array.isArray(value))) return toOptions(value, fact?.options);
  if (type === 'list') return toOption(value, fact?.options);
  if (type === 'number') return toNumber(value);
  if (type === 'date')
    return typeof value === 'string' && isRealDate(value)
      ? ok(value.slice(0, 10))
      : bad('must be a date as 2026-04-30');
  if (typeof value === 'number') return ok(decimalText(value));
  if (typeof value === 'string' || (typeof value === 'boolean' && fact === undefined)) return ok(value);
  return bad('must be text');
}

/** Numbers travel as text and come back as text. */
function toNumber(value: unknown): Value {
  if (typeof value === 'number') return ok(decimalText(value));
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? ok(value) : bad('must be a number');
}

function toOption(value: unknown, options: string[] | undefined): Value {
  if (typeof value === 'string' && (options === undefined || options.includes(value))) return ok(value);
  return bad(`must be one of: ${options?.join(', ') ?? 'the options of the list'}`);
}

/** Several options are one text, joined by semicolons. */
function toOptions(value: unknown, options: string[] | undefined): Value {
  const chosen: unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(';')
      : [value];
  const texts = chosen.map((item) => (typeof item === 'string' ? item.trim() : undefined));
  const isKnown = (text: string | undefined) =>
    text !== undefined && (options === undefined || options.includes(text));
  if (!texts.every(isKnown)) return bad(`must be a list of: ${options?.join(', ') ?? 'texts'}`);
  return texts.length === 0 ? ok(null) : ok(texts.join(';'));
}
