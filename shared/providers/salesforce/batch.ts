import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { BatchDescriptor, BatchRow } from '../batch-port.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { AnsweredCall, ProviderRequest, WritePlan } from '../port.ts';
import { readBatch } from './batch-results.ts';
import { keysSoql, readKeys } from './keys-query.ts';
import { dataPath } from './paths.ts';

/**
 * Far below the 50 MB that Salesforce takes: what travels for long is lost more often, and triggers have little memory.
 * @see https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
 */
const BYTES_MAX = 8 * 1024 * 1024;
const ROWS_MAX = 200;
/**
 * A bulk job costs its calls whatever its size; Salesforce counts batches of 10,000 of its rows, 15,000 a day, however many
 * jobs they are of. More rows would make a job's answer later and its results larger.
 */
export const BULK_ROWS_MAX = 50_000;

/** Fields that may be set at creation only: a second sending of the same record would be refused for them. */
const CREATE_ONLY = new Set([
  'contactid',
  'createddate',
  'createdbyid',
  'lastmodifieddate',
  'lastmodifiedbyid',
]);

/** The external-id field of the account; a batch without one would be ambiguous as many times as it has rows. */
export function keyField({ marker }: AccountSettings): string {
  if (marker?.kind !== 'external_id') throw new Error('batches need an external-id marker');
  return marker.field;
}

/** {@link BatchDescriptor.canCarry}. */
export function canCarry({ create, followUps }: WritePlan): boolean {
  if (create.method !== 'PATCH' || followUps.length > 0 || !isJsonObject(create.body)) return false;
  // What is said beside the body is said for the whole call.
  if (Object.keys(create.query ?? {}).length > 0 || Object.keys(create.headers ?? {}).length > 0)
    return false;
  return !Object.keys(create.body).some((field) => CREATE_ONLY.has(field.toLowerCase()));
}

/**
 * Up to 200 records in one metered call, each failing alone. Unlike that of a single upsert a record here carries its key.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_upsert.htm
 */
function request(rows: readonly BatchRow[], settings: AccountSettings): ProviderRequest {
  const field = keyField(settings);
  const records = rows.map(({ key, plan }) => ({
    ...(isJsonObject(plan.create.body) ? plan.create.body : {}),
    attributes: { type: 'Opportunity' },
    [field]: key,
  }));
  return {
    method: 'PATCH',
    path: dataPath(settings, 'composite', 'sobjects', 'Opportunity', field),
    body: { allOrNone: false, records },
    purpose: 'create',
  };
}

/**
 * One query over the keys, the Recycle Bin included. It goes inside a composite call, because 200 keys in a URL would come
 * near the 16,384 bytes at which proxies and Salesforce refuse it.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
 */
function findRequest(keys: readonly string[], settings: AccountSettings): ProviderRequest {
  const soql = keysSoql(keyField(settings), keys);
  const url = `${dataPath(settings, 'queryAll')}?q=${encodeURIComponent(soql)}`;
  return {
    method: 'POST',
    path: dataPath(settings, 'composite'),
    body: { allOrNone: false, compositeRequest: [{ method: 'GET', url, referenceId: 'found' }] },
    purpose: 'probe',
  };
}

function readFound(answer: AnsweredCall, settings: AccountSettings): Map<string, string> | undefined {
  return readKeys(answer, keyField(settings));
}

/** sObject Collections: many upserts by external id in one call. */
export const salesforceBatch: BatchDescriptor = {
  rowsMax: ROWS_MAX,
  bytesMax: BYTES_MAX,
  bulkRowsMax: BULK_ROWS_MAX,
  isPossible: ({ marker }) => marker?.kind === 'external_id',
  canCarry,
  request,
  read: readBatch,
  findRequest,
  readFound,
};
