import type { z } from 'zod';
import type { AnsweredCall, Call, CallResult, Looked, ProviderRequest } from './port.ts';

/** The body of a 200 as `schema` reads it; any other end, an unreadable body included, is handed back. */
export async function readAs<T>(
  call: Call,
  request: ProviderRequest,
  schema: z.ZodType<T>,
): Promise<Looked<T>> {
  const result = await call(request);
  const answer = answeredWith(result, 200);
  if (!answer) return { ok: false, result };
  const parsed = schema.safeParse(answer.body);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, result };
}

/** The answer if it came with one of these statuses. */
export function answeredWith(result: CallResult, ...statuses: number[]): AnsweredCall | undefined {
  return result.kind === 'answered' && statuses.includes(result.status) ? result : undefined;
}

/**
 * `looked`, or `fallback` where the provider says these credentials may not read it or it is not there;
 * `more` statuses count as that too (200: unreadable).
 */
export function orWhenHidden<T>(looked: Looked<T>, fallback: T, ...more: number[]): Looked<T> {
  return !looked.ok && answeredWith(looked.result, 402, 403, 404, ...more)
    ? { ok: true, value: fallback }
    : looked;
}
