import { stringify } from 'qs';
import type { ProviderRequest } from './port.ts';

/** The absolute URL of a request below the account's base URL; nested query values in bracket form. */
export function toUrl(baseUrl: string, request: Pick<ProviderRequest, 'path' | 'query'>): string {
  const query = request.query
    ? stringify(request.query, { arrayFormat: 'brackets', encodeValuesOnly: true })
    : '';
  return `${baseUrl}${request.path}${query === '' ? '' : `?${query}`}`;
}
