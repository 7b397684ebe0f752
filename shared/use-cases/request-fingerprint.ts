import type { JobRequest } from '../domain/job.ts';
import { sha256Hex } from '../ids.ts';

/** JSON with sorted keys and without undefined: equal for equal values, however they were written. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const pairs = Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => `${JSON.stringify(key)}:${canonicalJson(child)}`);
  return `{${pairs.join(',')}}`;
}

/**
 * Tells whether two creates under one idempotency key are the same request. It covers what was validated, so spelling
 * (key order, `true` or `1`) does not matter; the account is part of the key's scope already.
 */
export function fingerprintOf(request: JobRequest, callbackUrl: string | undefined): string {
  return sha256Hex(canonicalJson(['create-opportunity', request.body, request.query, callbackUrl ?? null]));
}
