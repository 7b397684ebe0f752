import { Agent, request } from 'undici';
import { judgeUrl, type OutboundPolicy } from '../../shared/outbound-policy/judge-url.ts';
import { createCheckedLookup, type Resolve } from '../../shared/outbound-policy/resolve-checked.ts';
import type { Posted } from './decide.ts';

/** Read of an answer at most; the rest is dropped with its connection. */
const ANSWER_BYTES_MAX = 4_096;

export type PostOptions = {
  policy: OutboundPolicy;
  /** From the first moment to the last byte. */
  timeoutMs: number;
  resolve?: Resolve;
};

export type Post = (
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
) => Promise<Posted>;

/**
 * Calls receivers: to checked addresses only, once, following nothing. Never throws.
 */
export function createPoster({ policy, timeoutMs, resolve }: PostOptions): {
  post: Post;
  close(): Promise<void>;
} {
  const agent = new Agent({
    connections: 64,
    pipelining: 1,
    // A receiver that closes an idle connection while it is used again makes a failure out of nothing: close first.
    keepAliveTimeout: 3_000,
    keepAliveMaxTimeout: 10_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: timeoutMs,
      lookup: createCheckedLookup({ allowPrivate: policy.allowPrivate, resolve }),
    },
  });

  const post: Post = async (url, headers, body, signal) => {
    // A literal address never meets the resolver, and the policy may have become stricter since registration.
    const judged = judgeUrl(url, policy);
    if (!judged.ok) return { kind: 'unanswered', error: `refused: ${judged.reason}` };
    const late = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await request(judged.url, {
        dispatcher: agent,
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([late, signal]),
      });
      const retryAfter = answer.headers['retry-after'];
      return {
        kind: 'answered',
        status: answer.statusCode,
        body: await readStart(answer.body),
        ...(typeof retryAfter === 'string' ? { retryAfter } : {}),
      };
    } catch (err) {
      if (late.aborted) return { kind: 'unanswered', error: `no answer within ${timeoutMs} ms` };
      return { kind: 'unanswered', error: describe(err) };
    }
  };
  return { post, close: () => agent.destroy() };
}

/** The status is the answer; a body that is slow or breaks off changes nothing. */
async function readStart(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= ANSWER_BYTES_MAX) break;
    }
  } catch {
    // What came is kept.
  }
  body.destroy();
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8');
}

function describe(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  const code = 'code' in err && typeof err.code === 'string' ? err.code : err.name;
  return code === 'EOUTBOUND' ? `refused: ${err.message}` : `${code}: ${err.message}`.slice(0, 300);
}
