import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import type { ProviderPolicy } from '../outbound-policy/provider-policy.ts';
import type { AnsweredCall, CallResult } from './port.ts';

/** Larger answers are cut off: none of the calls we make has a legitimate one of this size. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** Of an answer that says why not so much is read; its status is what counts, whatever else it holds. */
const REFUSAL_BYTES_MAX = 256 * 1024;

export type SendRequest = {
  method: Dispatcher.HttpMethod;
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** From the first moment to the last byte of the answer. */
  timeoutMs: number;
  /**
   * Asked when the request really begins to be written, which on a busy pool can be seconds after it was handed over.
   * A text is the reason not to send.
   */
  fence?: () => string | undefined;
  /** Aborts the call; after bytes left the outcome is unknown. */
  signal?: AbortSignal;
};

type Unanswered = Exclude<CallResult, { kind: 'deferred' } | { kind: 'needs_reauth' }>;
export type Send = (request: SendRequest) => Promise<Unanswered>;

/**
 * The one place that talks HTTP to providers. Never throws: how the call ended, and whether bytes left, is the result.
 * Redirects are answers like any other and are not followed.
 */
export function createSender(options: {
  isAllowed: (url: URL) => boolean;
  /** Judges addresses, at every new connection; left out only by tests that talk to themselves. */
  outbound?: ProviderPolicy;
  clock: Clock;
}) {
  const agent = new Agent({
    connections: 256,
    pipelining: 1,
    // A provider that closes an idle connection while we reuse it makes an unknown outcome out of nothing: close first.
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 10_000, lookup: options.outbound?.lookup },
  });

  const send: Send = (request) => {
    const url = URL.parse(request.url);
    if (!url || !options.isAllowed(url)) {
      const origin = url?.origin ?? 'the address';
      return Promise.resolve({
        kind: 'not_sent',
        code: 'url_not_allowed',
        message: `${origin} is not in PROVIDER_URL_ALLOWLIST; nothing was sent`,
      });
    }
    const refused = options.outbound?.judge(url);
    if (refused !== undefined)
      return Promise.resolve({
        kind: 'not_sent',
        code: 'url_not_allowed',
        message: `${refused}; nothing was sent`,
      });
    const { promise, resolve } = Promise.withResolvers<Unanswered>();
    new Exchange(request, options.clock, resolve).dispatchOn(agent, url);
    return promise;
  };

  return { send, close: () => agent.destroy() };
}

/** One request on its way. Knows, from undici's own callbacks, whether the first byte was handed to the socket. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: SendRequest;
  readonly #clock: Clock;
  readonly #resolve: (result: Unanswered) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#giveUp('aborted', 'the call was aborted');
  #controller: Dispatcher.DispatchController | undefined;
  #bytesLeft = false;
  #ended = false;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(request: SendRequest, clock: Clock, resolve: (result: Unanswered) => void) {
    this.#request = request;
    this.#clock = clock;
    this.#resolve = resolve;
    this.#timer = setTimeout(
      () => this.#giveUp('provider_no_answer', `no answer within ${request.timeoutMs} ms`),
      request.timeoutMs,
    );
  }

  dispatchOn(agent: Agent, { origin, pathname, search }: URL): void {
    const { signal, method, headers, body } = this.#request;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    try {
      agent.dispatch({ origin, path: pathname + search, method, headers, body }, this);
    } catch (err) {
      this.onResponseError(undefined, err instanceof Error ? err : new Error(String(err)));
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const reason = this.#ended ? 'given up before it was sent' : this.#request.fence?.();
    if (reason) {
      this.#end({ kind: 'not_sent', code: 'fenced', message: reason });
      controller.abort(new Error(reason));
      return;
    }
    this.#bytesLeft = true;
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: NodeJS.Dict<string | string[]>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined)
        this.#headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    if (this.#status >= 300 && this.#size > REFUSAL_BYTES_MAX) {
      this.onResponseEnd();
      controller.abort(new Error('refusal too large'));
      return;
    }
    if (this.#size > ANSWER_BYTES_MAX) {
      this.#giveUp('provider_bad_answer', `the answer is larger than ${ANSWER_BYTES_MAX} bytes`);
      controller.abort(new Error('answer too large'));
    }
  }

  onResponseEnd(): void {
    const answer: AnsweredCall = {
      kind: 'answered',
      status: this.#status,
      headers: this.#headers,
      body: parseBody(textOf(this.#chunks)),
      receivedAtMs: this.#clock.nowMs(),
    };
    this.#end(answer);
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, err: Error): void {
    const code = 'code' in err && typeof err.code === 'string' ? err.code : err.name;
    const message = `${code}: ${err.message}`;
    if (this.#bytesLeft) this.#end({ kind: 'unanswered', code: 'provider_no_answer', message });
    else if (code === 'EOUTBOUND')
      this.#end({ kind: 'not_sent', code: 'url_not_allowed', message: err.message });
    else this.#end({ kind: 'not_sent', code: 'provider_unreachable', message });
  }

  /** Ends it now; a request that has not begun will be refused when it would. */
  #giveUp(code: string, message: string): void {
    if (this.#bytesLeft) this.#end({ kind: 'unanswered', code, message });
    else
      this.#end({ kind: 'not_sent', code: code === 'aborted' ? 'fenced' : 'provider_unreachable', message });
    this.#controller?.abort(new Error(message));
  }

  #end(result: Unanswered): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#resolve(result);
  }
}

function textOf(chunks: Buffer[]): string {
  const [first, ...more] = chunks;
  // Most answers come in one piece.
  return first && more.length === 0 ? first.toString('utf8') : Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[' && first !== '"') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
