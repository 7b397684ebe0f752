import type { RateLimitHit } from '../../domain/failure.ts';
import type { FailureRow, ProviderRequest } from '../port.ts';

/** When a row applies; every part that is present must hold. */
export type Match = {
  /** `success`: 2xx. `refused`: 4xx. `server`: 5xx. `failed`: 4xx or 5xx. Else exactly one of these. */
  status: 'any' | 'success' | 'refused' | 'server' | 'failed' | readonly number[];
  /** One error of the answer has one of these codes … */
  codes?: readonly string[];
  /** … and that error's message looks like this. */
  message?: RegExp;
  /**
   * `saved`: confirms a record. `matched`: confirms that an upsert met a record that was there.
   * `errors`: at least one error with a code. `none`: no error in a form we know (HTML, text, nothing).
   */
  body?: 'saved' | 'matched' | 'errors' | 'none';
  /** The error is about the external id this very request upserts by. */
  isOwnKey?: true;
};

/** A row of the failure table with what drives {@link classify}. */
export type SalesforceFailureRow = FailureRow & {
  match: Match;
  /** For `rate_limited` rows. */
  scope?: RateLimitHit['scope'];
  /** For rows that depend on what was sent; any other request would do for the rest. */
  sampleRequest?: ProviderRequest;
};

const REST = 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest';

/** Public pages the rows are taken from. */
export const SOURCES = {
  statusCodes: `${REST}/errorcodes.htm`,
  create: `${REST}/dome_sobject_create.htm`,
  upsert: `${REST}/dome_upsert.htm`,
  collections: `${REST}/resources_composite_sobjects_collections_upsert.htm`,
  /** List of every status and exception code with a sentence each. */
  coreDataTypes:
    'https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm',
  fieldTypes:
    'https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm',
  limits:
    'https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm',
  jsforce: 'https://github.com/jsforce/jsforce/blob/main/src/http-api.ts',
  restforce: 'https://github.com/restforce/restforce/blob/main/lib/restforce/error_code.rb',
  limitMessages: 'https://github.com/SalesforceLabs/OrgCheck/issues/181',
  upsertRace: 'https://salesforce.stackexchange.com/questions/197382',
  lockDisguised:
    'https://github.com/rudderlabs/rudder-transformer/blob/develop/test/integrations/destinations/salesforce/network.ts',
} as const;

/** A single-call error body: an array with one error. `fields` is left out where Salesforce leaves it out. */
export function errorBody(errorCode: string, message: string, fields?: readonly string[]): unknown {
  return [{ message, errorCode, ...(fields === undefined ? {} : { fields: [...fields] }) }];
}
