import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallEntry } from './calls.ts';
import type { Limiter } from './limiter.ts';
import type { Pending } from './pending.ts';
import type { Answer, SandboxProvider } from './provider.ts';

/** One provider inside the core. */
export type Mounted = { provider: SandboxProvider; limiter: Limiter; pending: Pending };

export type Exchange = {
  req: IncomingMessage;
  res: ServerResponse;
  mounted: Mounted;
  /** Path without query and without the provider's prefix. */
  path: string;
  method: string;
  credential: string;
  entry: CallEntry;
};

/** Sends an answer that no router made. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  const { body } = answer;
  const isText = typeof body === 'string' || Buffer.isBuffer(body);
  const payload = body === undefined ? '' : isText ? body : JSON.stringify(body);
  // Nothing that a held-back answer had set may show.
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.statusCode = answer.status;
  res.setHeader('content-type', isText ? 'text/html;charset=UTF-8' : 'application/json;charset=UTF-8');
  for (const [name, value] of Object.entries(answer.headers ?? {})) res.setHeader(name, value);
  res.setHeader('content-length', Buffer.byteLength(payload));
  res.end(payload);
}
