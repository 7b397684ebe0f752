import type { Answer } from '../core/provider.ts';
import type { CapsuleCall } from './call.ts';
import { failure } from './errors.ts';

const PER_PAGE_DEFAULT = 50;
const PER_PAGE_MAX = 100;

/**
 * One page of rows under a key. A further page is announced twice: by a Link header that keeps the request's own
 * parameters, and by X-Pagination-Has-More ("Reading from the API").
 */
export function answerPage<Row>(
  call: CapsuleCall,
  key: string,
  rows: readonly Row[],
  show: (row: Row) => unknown,
): Answer {
  const page = readPositive(call.query.get('page'), 1, Number.MAX_SAFE_INTEGER);
  if (page === undefined) return failure('page', 'page must be a positive integer');
  const perPage = readPositive(call.query.get('perPage'), PER_PAGE_DEFAULT, PER_PAGE_MAX);
  if (perPage === undefined) return failure('perPage', `perPage must be between 1 and ${PER_PAGE_MAX}`);
  const from = (page - 1) * perPage;
  const hasMore = from + perPage < rows.length;
  const headers: Record<string, string> = { 'x-pagination-has-more': String(hasMore) };
  if (hasMore) headers.link = `<${nextUrl(call, page + 1)}>; rel="next"`;
  const body: Record<string, unknown> = { [key]: rows.slice(from, from + perPage).map(show) };
  if (call.embeds.has('meta')) body.meta = { totalCount: rows.length };
  return { status: 200, headers, body };
}

function nextUrl(call: CapsuleCall, page: number): string {
  const query = new URLSearchParams(call.query);
  query.set('page', String(page));
  return `${call.baseUrl}${call.path}?${query}`;
}

function readPositive(text: string | null, fallback: number, max: number): number | undefined {
  if (text === null) return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : undefined;
}
