import type { AccountSettings } from '../../domain/integrated-account.ts';

/** Pinned so that a release of theirs changes nothing here; accounts may choose another. */
const DEFAULT_API_VERSION = 62;

/** Below it an upsert, a duplicate header or the recently-viewed header would behave differently. */
export const LOWEST_API_VERSION = 60;

/** The account's API version as a number, as 62. */
export function apiVersion(settings: AccountSettings): number {
  const stated = settings.salesforce?.api_version;
  return stated === undefined ? DEFAULT_API_VERSION : Number(stated.replace(/^v/, ''));
}

/**
 * Path below the org's host, as `/services/data/v62.0/sobjects/Opportunity`; segments are percent-encoded here.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
 */
export function dataPath(settings: AccountSettings, ...segments: string[]): string {
  const below = segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
  return `/services/data/v${apiVersion(settings).toFixed(1)}${below}`;
}

/** The org's host without an API path, a query or a trailing slash. */
export function stripApiPath(url: string): string {
  return url
    .replace(/[?#].*$/s, '')
    .replace(/\/services(?:\/.*)?$/, '')
    .replace(/\/+$/, '');
}
