import { z } from 'zod';
import type { AnsweredCall, Call, Looked, ProviderRequest } from '../port.ts';
import { answeredWith } from '../read-call.ts';

/** The most Capsule gives at once. @see https://developer.capsulecrm.com/v2/overview/reading-from-the-api */
const PER_PAGE = 100;
const PAGES_MAX = 100;

/** `complete` is false when there was more than we are willing to read. */
export type Listed<T> = { rows: T[]; complete: boolean };

/** All rows of a list under `key`, page by page while Capsule says that there is more. */
export async function listAll<T>(
  call: Call,
  request: ProviderRequest,
  key: string,
  row: z.ZodType<T>,
): Promise<Looked<Listed<T>>> {
  const schema = z.looseObject({ [key]: z.array(row) });
  const rows: T[] = [];
  for (let page = 1; page <= PAGES_MAX; page++) {
    const result = await call({ ...request, query: { ...request.query, page, perPage: PER_PAGE } });
    const answer = answeredWith(result, 200);
    if (!answer) return { ok: false, result };
    const parsed = schema.safeParse(answer.body);
    if (!parsed.success) return { ok: false, result };
    rows.push(...(parsed.data[key] ?? []));
    if (!hasMore(answer)) return { ok: true, value: { rows, complete: true } };
  }
  return { ok: true, value: { rows, complete: false } };
}

function hasMore({ headers }: AnsweredCall): boolean {
  return /rel="?next"?/.test(headers.link ?? '') || headers['x-pagination-has-more'] === 'true';
}

/** The rows alone, for lists of settings, which are short. */
export async function listRows<T>(
  call: Call,
  path: string,
  key: string,
  row: z.ZodType<T>,
  query?: Record<string, unknown>,
): Promise<Looked<T[]>> {
  const request: ProviderRequest = { method: 'GET', path, ...(query ? { query } : {}), purpose: 'look_up' };
  const listed = await listAll(call, request, key, row);
  return listed.ok ? { ok: true, value: listed.value.rows } : listed;
}
