import { createCapsule } from '../../sandbox/capsule/provider.ts';
import { serveSandbox } from '../../sandbox/core/server.ts';

// An answer is asserted on field by field; a type for it would only repeat the assertions.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

export type Reply = { status: number; headers: Headers; text: string; body: Json };

export type CallOptions = {
  body?: unknown;
  token?: string;
  authorization?: string;
  headers?: Record<string, string>;
  form?: Record<string, string>;
  text?: string;
};

/** A running Capsule with a clock of its own and a caller. */
export type CapsuleUnderTest = {
  origin: string;
  clock: { nowMs: number };
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
  create(fields?: Record<string, unknown>): Promise<Json>;
  configure(options: Record<string, unknown>): Promise<Reply>;
  control(method: string, path: string, body?: unknown): Promise<Reply>;
  close(): Promise<void>;
};

export const START_MS = Date.UTC(2026, 2, 1, 9, 30, 0, 123);

/** The least an opportunity needs. */
export const MINIMUM = { name: 'Renewal', party: { id: 4711 }, milestone: { id: 14 } };

export async function startCapsule(): Promise<CapsuleUnderTest> {
  const clock = { nowMs: START_MS };
  const sandbox = await serveSandbox({
    port: 0,
    host: '127.0.0.1',
    providers: [createCapsule],
    nowMs: () => clock.nowMs,
  });

  async function send(method: string, url: string, options: CallOptions): Promise<Reply> {
    const headers: Record<string, string> = { ...options.headers };
    const authorization = options.authorization ?? `Bearer ${options.token ?? 'demo-capsule-token'}`;
    if (authorization !== '') headers.authorization = authorization;
    let body: string | undefined = options.text;
    if (options.form !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      body = new URLSearchParams(options.form).toString();
    } else if (options.body !== undefined) body = JSON.stringify(options.body);
    if (body !== undefined) headers['content-type'] ??= 'application/json';
    const response = await fetch(url, { method, headers, body });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parseJson(text) };
  }

  const control = (method: string, path: string, body?: unknown) =>
    send(method, `${sandbox.origin}/_control${path}`, { body, authorization: '' });
  const call = (method: string, path: string, options: CallOptions = {}) =>
    send(method, `${sandbox.origin}/capsule${path.startsWith('/oauth') ? '' : '/api/v2'}${path}`, options);

  return {
    origin: sandbox.origin,
    clock,
    call,
    async create(fields = {}) {
      const body = { opportunity: { ...MINIMUM, ...fields } };
      const reply = await call('POST', '/opportunities?embed=tags,fields', { body });
      if (reply.status !== 201) throw new Error(`create answered ${reply.status}: ${reply.text}`);
      return reply.body.opportunity;
    },
    configure: (options) => control('POST', '/limits', { provider: 'capsule', ...options }),
    control,
    close: () => sandbox.close(),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
