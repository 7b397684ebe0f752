import type { AccountFacts, CustomFieldFact } from '../../domain/integrated-account.ts';
import { pointerSegment } from '../merge-remote-data.ts';
import { type Draft, failed, joinDrafts } from './draft.ts';
import { findMappedPointer } from './field-pointers.ts';
import { findNearest } from './nearest.ts';

/** API names end in `__c` when custom; standard ones have no underscore. */
const CUSTOM_NAME = /^[A-Za-z][A-Za-z0-9_]*__c$/i;
const STANDARD_NAME = /^[A-Za-z][A-Za-z0-9]*$/;

/** Types whose text Salesforce refuses rather than cuts when it is too long. */
const BOUNDED_TYPES = new Set(['string', 'textarea', 'email', 'phone', 'url']);

/** `custom_fields` under their API names, as they are; lists become the `A;B` of multi-select picklists. */
export function mapCustomFields(
  fields: Record<string, unknown> | undefined,
  facts: AccountFacts | undefined,
  markerField: string | undefined,
): Draft {
  const seen = new Set<string>();
  return joinDrafts(
    Object.entries(fields ?? {}).map(([key, value]) => {
      const pointer = `/custom_fields/${pointerSegment(key)}`;
      const lower = key.toLowerCase();
      if (seen.has(lower)) return failed(pointer, 'names the same field as another key: case does not count');
      seen.add(lower);
      if (lower === markerField?.toLowerCase()) {
        return failed(pointer, 'is the field that marks our own writes on this account; leave it out');
      }
      return mapCustomField(key, value, pointer, facts);
    }),
  );
}

function mapCustomField(
  key: string,
  value: unknown,
  pointer: string,
  facts: AccountFacts | undefined,
): Draft {
  const mapped = findMappedPointer(key);
  if (mapped !== undefined) {
    return failed(
      pointer,
      `is a standard field: use ${mapped.slice(1).replaceAll('/', '.')}, or remote_data to bypass it`,
    );
  }
  if (key.toLowerCase() === 'id') return failed(pointer, 'is decided by Salesforce; leave it out');
  if (!CUSTOM_NAME.test(key) && !STANDARD_NAME.test(key)) {
    return failed(
      pointer,
      'is no API name of a Salesforce field; custom fields are named as "Region__c"',
      'custom_field_not_found',
    );
  }
  if (facts === undefined) return writeValue(key, value, pointer, undefined);

  const fact = facts.customFields.find((candidate) => candidate.key.toLowerCase() === key.toLowerCase());
  if (fact === undefined) {
    const nearest = findNearest(
      key,
      facts.customFields.map((candidate) => candidate.key),
    );
    const hint = nearest === undefined ? '' : `; the nearest is "${nearest}"`;
    const message = `the Opportunity has no field "${key}" that the connected user may see${hint}`;
    return { ...failed(pointer, message, 'custom_field_not_found'), staleFacts: true };
  }
  if (!fact.creatable) {
    return { ...failed(pointer, `"${key}" is read-only for the connected user`), staleFacts: true };
  }
  return writeValue(key, value, pointer, fact);
}

function writeValue(key: string, value: unknown, pointer: string, fact: CustomFieldFact | undefined): Draft {
  if (Array.isArray(value)) return writeList(key, value, pointer, fact);
  if (typeof value === 'object' && value !== null) {
    return failed(
      pointer,
      'must be text, a number, a boolean, null or a list of texts; use remote_data for objects',
    );
  }
  const max = fact !== undefined && BOUNDED_TYPES.has(fact.type) ? fact.maxLength : undefined;
  if (typeof value === 'string' && max !== undefined && [...value].length > max) {
    return failed(pointer, `must have at most ${max} characters; Salesforce does not cut it`);
  }
  return noteStandardField(key, pointer, { body: { [key]: value } });
}

function writeList(
  key: string,
  values: unknown[],
  pointer: string,
  fact: CustomFieldFact | undefined,
): Draft {
  if (fact !== undefined && !fact.multiple) return failed(pointer, 'takes one value, not a list');
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length !== values.length || texts.some((text) => text.includes(';') || text === '')) {
    return failed(pointer, 'must be a list of texts without ";", which separates them in Salesforce');
  }
  return noteStandardField(key, pointer, { body: { [key]: texts.length === 0 ? null : texts.join(';') } });
}

/** What is written under a standard name does not come back under `custom_fields`; the caller should know. */
function noteStandardField(key: string, pointer: string, draft: Draft): Draft {
  if (CUSTOM_NAME.test(key)) return draft;
  const message = `"${key}" is a standard field of Salesforce; it is written, and answered in remote_data only`;
  return { ...draft, warnings: [{ code: 'standard_field', pointer, message }] };
}
