import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RunningSandbox, serveSandbox } from '../../sandbox/core/server.ts';
import { makeId } from '../../sandbox/salesforce/ids.ts';
import { createSalesforce } from '../../sandbox/salesforce/provider.ts';

export const accountId = makeId('001', 1);
export const contactIds = [makeId('003', 1), makeId('003', 2)] as const;
export const inactiveUserId = makeId('005', 4);
export const version = 'v66.0';

/** An opportunity that every rule accepts. */
export function anOpportunity(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { Name: 'Annual license', StageName: 'Prospecting', CloseDate: '2026-12-31', ...overrides };
}

export type Reply = { status: number; headers: Headers; body: unknown };

/** A running Salesforce sandbox, clean before each test. */
export function useSalesforce() {
  let running: RunningSandbox;
  beforeAll(async () => {
    running = await serveSandbox({ port: 0, host: '127.0.0.1', providers: [createSalesforce] });
  });
  afterAll(() => running.close());
  beforeEach(() => control('POST', '/reset', {}));

  async function send(
    method: string,
    url: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ) {
    const isText = typeof options.body === 'string';
    const response = await fetch(`${running.origin}${url}`, {
      method,
      headers: {
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      body: isText
        ? String(options.body)
        : options.body === undefined
          ? undefined
          : JSON.stringify(options.body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
    const body: unknown = isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body } satisfies Reply;
  }
  const control = (method: string, path: string, body?: unknown) =>
    send(method, `/_control${path}`, { body });

  return {
    origin: () => running.origin,
    instanceUrl: () => `${running.origin}/salesforce`,
    send,
    control,
    /** A call with the demo session, below `/services/data/vXX.X`. */
    api: (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      send(method, `/salesforce/services/data/${version}${path}`, {
        body,
        headers: { authorization: 'Bearer demo-salesforce-access', ...headers },
      }),
    configure: (options: Record<string, unknown>) =>
      control('POST', '/limits', { provider: 'salesforce', ...options }),
    fault: (fault: Record<string, unknown>) =>
      control('POST', '/faults', { provider: 'salesforce', ...fault }),
    async records(): Promise<unknown[]> {
      const { body } = await control('GET', '/records?provider=salesforce');
      return property(body, 'records', Array.isArray) ?? [];
    },
    async query(soql: string): Promise<Record<string, unknown>[]> {
      const path = `/salesforce/services/data/${version}/query?q=${encodeURIComponent(soql)}`;
      const { body } = await send('GET', path, {
        headers: { authorization: 'Bearer demo-salesforce-access' },
      });
      return property(body, 'records', Array.isArray) ?? [];
    },
  };
}

function property<Value>(
  body: unknown,
  name: string,
  is: (value: unknown) => value is Value,
): Value | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return is(value) ? value : undefined;
}

/** The id in a create's answer. */
export function idOf(reply: Reply): string {
  return property(reply.body, 'id', (value) => typeof value === 'string') ?? '';
}
