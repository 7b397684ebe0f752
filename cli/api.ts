import { z } from 'zod';
import { Stop } from './stop.ts';
import type { Target } from './target.ts';

/** An answer of the API, read. */
export type Answer = { status: number; retryAfterSeconds?: number; body: unknown };

/** No answer came, or one that asks to come again: what was sent may be sent again. */
export class Unreached extends Error {
  readonly retryAfterSeconds: number | undefined;
  /** Nothing listens there: more likely a wrong address than a bad moment. */
  readonly isNobodyThere: boolean;

  constructor(
    message: string,
    facts: { retryAfterSeconds?: number; isNobodyThere?: boolean; cause?: unknown },
  ) {
    super(message, { cause: facts.cause });
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.isNobodyThere = facts.isNobodyThere ?? false;
  }
}

export function urlOf(target: Target, path: string, query: Record<string, string | undefined> = {}): URL {
  const url = new URL(path, target.url);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

export const authorization = (target: Target) => ({ Authorization: `Bearer ${target.token}` });

/**
 * A GET whose answer is a success; its body is still to be read.
 * @throws Stop when refused, Unreached when it is worth another try.
 */
export async function get(
  url: URL,
  target: Target,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { ...authorization(target), ...headers }, signal });
  } catch (cause) {
    throw unreached(url, cause);
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  const retryAfterSeconds = Number(response.headers.get('retry-after')) || undefined;
  throw refusalOf({ status: response.status, retryAfterSeconds, body });
}

/** What to make of no answer at all. */
export function unreached(url: URL, cause: unknown): Unreached {
  const deepest = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = deepest instanceof Error && 'code' in deepest ? String(deepest.code) : '';
  const why = code || (deepest instanceof Error ? deepest.message : String(deepest));
  const isNobodyThere = code === 'ECONNREFUSED' || code === 'ENOTFOUND';
  const hint = isNobodyThere ? ' Does it run there? See --url, DEALWRIGHT_URL, or npm start.' : '';
  return new Unreached(`${url.origin} cannot be reached (${why}).${hint}`, { isNobodyThere, cause });
}

const Refusal = z.object({
  message: z.string(),
  code: z.string().optional(),
  details: z.object({ failures: z.array(z.object({ message: z.string() })).optional() }).optional(),
});

/** What to make of an answer that is no success. */
export function refusalOf({ status, retryAfterSeconds, body }: Answer): Stop | Unreached {
  const read = Refusal.safeParse(body);
  const said = read.success ? read.data : undefined;
  const message = said ? `${said.message} (${status} ${said.code ?? ''})` : `The API answered ${status}.`;
  const mayPass = status === 429 || status >= 500 || said?.code === 'idempotency_key_in_progress';
  if (mayPass) return new Unreached(message, { retryAfterSeconds });
  const failures = said?.details?.failures ?? [];
  // One failure is what the message says already.
  const lines = failures.length > 1 ? failures.map((failure) => `\n  - ${failure.message}`) : [];
  return new Stop(`Refused: ${message}${lines.join('')}`);
}
