import type { FieldFailure } from '../../domain/failure.ts';
import type { AccountFacts, AccountSettings } from '../../domain/integrated-account.ts';
import type { Marker } from '../port.ts';
import { findMappedPointer } from './field-pointers.ts';
import { apiVersion, LOWEST_API_VERSION } from './paths.ts';

/** A job id in text has 36 characters. */
const JOB_ID_CHARS = 36;

const API_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const CUSTOM_NAME = /^[A-Za-z][A-Za-z0-9_]*__c$/i;

/** {@link ProviderDescriptor.checkSettings}. */
export function checkSettings(settings: AccountSettings): FieldFailure[] {
  const failures: FieldFailure[] = [];
  const refuse = (pointer: string, message: string) =>
    failures.push({ pointer: `/settings/${pointer}`, code: 'invalid_body', message });
  if (apiVersion(settings) < LOWEST_API_VERSION)
    refuse('salesforce/api_version', `must be at least ${LOWEST_API_VERSION}.0`);
  const marker = settings.marker;
  if (marker === undefined || marker === null) return failures;
  if (marker.kind === 'text') {
    refuse('marker/kind', 'Salesforce cannot search in long texts: use external_id or custom_field');
    return failures;
  }
  const fault = findFieldNameFault(marker.kind, marker.field);
  if (fault !== undefined) refuse('marker/field', fault);
  return failures;
}

/**
 * What makes a field unfit by its name alone. `Name` is the trap: Salesforce upserts by it and would overwrite
 * a customer's unrelated opportunity.
 */
function findFieldNameFault(kind: Exclude<Marker['kind'], 'text'>, field: string): string | undefined {
  if (!API_NAME.test(field)) return 'must be the API name of a Salesforce field, as "Dealwright_Key__c"';
  if (findMappedPointer(field) !== undefined || field.toLowerCase() === 'id') {
    return `must not be ${field}, which holds the customer's own data`;
  }
  if (kind === 'external_id' && !CUSTOM_NAME.test(field)) {
    return 'must be a custom field (ending in __c) with External ID and Unique set';
  }
  return undefined;
}

/**
 * What makes the marker's field unfit in this organisation, as a sentence; undefined if nothing is known against it.
 * Without Unique two upserts of one key could store two records.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
 */
export function findMarkerFault(
  marker: Pick<Marker, 'kind' | 'field'>,
  facts: AccountFacts | undefined,
): string | undefined {
  const name = `settings.marker.field "${marker.field}"`;
  if (marker.kind === 'text') return 'settings.marker.kind "text" is not possible in Salesforce';
  if (facts === undefined) return undefined;
  const wanted = marker.field.toLowerCase();
  const fact = facts.customFields.find((field) => field.key.toLowerCase() === wanted);
  if (fact === undefined)
    return `${name} does not exist on the Opportunity, or the connected user may not see it`;
  if (!fact.creatable) return `${name} is read-only for the connected user`;
  if (fact.type !== 'string' || (fact.maxLength ?? JOB_ID_CHARS) < JOB_ID_CHARS) {
    return `${name} must be a text field of at least ${JOB_ID_CHARS} characters`;
  }
  if (marker.kind === 'external_id' && (fact.externalId !== true || fact.unique !== true)) {
    return `${name} must have both External ID and Unique set`;
  }
  return undefined;
}
