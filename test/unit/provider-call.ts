import qs from 'qs';
import type { StoredCredentials } from '../../shared/domain/integrated-account.ts';
import type { AnsweredCall, Call, ProviderClient, ProviderDescriptor } from '../../shared/providers/port.ts';

/** What `createCall` sent and got, oldest first. */
export type Sent = { method: string; path: string; status: number };

/** A bare call over HTTP: authentication and query string, no gate, no refresh. */
export function createCall(
  descriptor: ProviderDescriptor,
  client: ProviderClient,
  credentials: StoredCredentials,
  nowMs: () => number = Date.now,
): { call: Call; sent: Sent[] } {
  const sent: Sent[] = [];
  const base = descriptor.baseUrl(credentials, {});
  const call: Call = async (request) => {
    const query = qs.stringify(request.query ?? {}, { arrayFormat: 'brackets' });
    const hasBody = request.body !== undefined;
    const response = await fetch(`${base}${request.path}${query ? `?${query}` : ''}`, {
      method: request.method,
      headers: {
        ...client.authorize(credentials),
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
        ...request.headers,
      },
      ...(hasBody ? { body: JSON.stringify(request.body) } : {}),
    });
    const answer = await readAnswer(response, nowMs());
    sent.push({ method: request.method, path: request.path, status: answer.status });
    return answer;
  };
  return { call, sent };
}

export async function readAnswer(response: Response, receivedAtMs: number): Promise<AnsweredCall> {
  const text = await response.text();
  return {
    kind: 'answered',
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: parse(text),
    receivedAtMs,
  };
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The value of a look-up that must succeed. */
export function unwrap<T>(looked: { ok: true; value: T } | { ok: false; result: unknown }): T {
  if (!looked.ok) throw new Error(JSON.stringify(looked.result));
  return looked.value;
}
