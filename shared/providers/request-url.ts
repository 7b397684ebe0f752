import { stringify } from 'qs';
import type { ProviderRequest } from './port.ts';

/** A query as it is sent: nested values in bracket form, and nothing else of a key with a meaning in a URL. */
export function toQuery(query: NonNullable<ProviderRequest['query']>): string {
  return stringify(query, {
    arrayFormat: 'brackets',
    encoder: (text, encode, _charset, part) =>
      part === 'key' ? encode(text).replaceAll('%5B', '[').replaceAll('%5D', ']') : encode(text),
  });
}

/** The absolute URL of a request below the account's base URL; nested query values in bracket form. */
export function toUrl(baseUrl: string, request: Pick<ProviderRequest, 'path' | 'query'>): string {
  const query = request.query ? toQuery(request.query) : '';
  return `${baseUrl}${request.path}${query === '' ? '' : `?${query}`}`;
}
