import type { z } from 'zod';
import type { Call, CallResult, Looked, ProviderRequest } from './port.ts';

/** The body of a 200 as `schema` reads it; any other end, an unreadable body included, is handed back. */
export async function readAs<T>(
  call: Call,
  request: ProviderRequest,
  schema: z.ZodType<T>,
): Promise<Looked<T>> {
  const result = await call(request);
  if (!isStatus(result, 200)) return { ok: false, result };
  const parsed = schema.safeParse(result.body);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, result };
}

export function isStatus(
  result: CallResult,
  ...statuses: number[]
): result is Extract<CallResult, { kind: 'answered' }> {
  return result.kind === 'answered' && statuses.includes(result.status);
}

/** `looked`, or `fallback` where the provider says these credentials may not read it or it is not there. */
export function orWhenHidden<T>(looked: Looked<T>, fallback: T): Looked<T> {
  return !looked.ok && isStatus(looked.result, 402, 403, 404) ? { ok: true, value: fallback } : looked;
}
