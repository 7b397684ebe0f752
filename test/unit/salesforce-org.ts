import { stringify } from 'qs';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { RunningSandbox } from '../../sandbox/core/server.ts';
import { startSandbox } from '../../sandbox/core/start.ts';
import type { StoredCredentials } from '../../shared/domain/integrated-account.ts';
import type { AnsweredCall, Call, Looked, TokenRequest } from '../../shared/providers/port.ts';
import { salesforceClient } from '../../shared/providers/salesforce/client.ts';
import { salesforce } from '../../shared/providers/salesforce/descriptor.ts';

/** A sandbox organisation, clean before each test, and an authenticated way to call it. */
export function useOrg() {
  let sandbox: RunningSandbox;
  const sent: string[] = [];
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, host: '127.0.0.1' });
  });
  afterAll(() => sandbox.close());
  beforeEach(async () => {
    await control('/reset', {});
    sent.length = 0;
  });

  const control = (path: string, body: unknown) =>
    fetch(`${sandbox.origin}/_control${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  const credentials = (): StoredCredentials => ({
    type: 'oauth2_refresh_token',
    instance_url: `${sandbox.origin}/salesforce`,
    client_id: 'demo-salesforce-client',
    client_secret: 'demo-salesforce-secret',
    refresh_token: 'demo-salesforce-refresh',
    access_token: 'demo-salesforce-access',
  });

  async function answer(url: string, init: RequestInit): Promise<AnsweredCall> {
    const response = await fetch(url, init);
    const text = await response.text();
    return {
      kind: 'answered',
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: parse(text),
      receivedAtMs: Date.now(),
    };
  }

  const call: Call = async (request) => {
    sent.push(`${request.method} ${request.path}`);
    const query =
      request.query === undefined ? '' : `?${stringify(request.query, { arrayFormat: 'brackets' })}`;
    try {
      return await answer(`${salesforce.baseUrl(credentials(), {})}${request.path}${query}`, {
        method: request.method,
        headers: { 'content-type': 'application/json', ...salesforceClient.authorize(credentials()) },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        redirect: 'manual',
      });
    } catch (error) {
      return { kind: 'unanswered', code: 'provider_no_answer', message: String(error) };
    }
  };

  return {
    call,
    credentials,
    /** "METHOD path" of every call since the test began. */
    sent,
    configure: (switches: Record<string, unknown>) =>
      control('/limits', { provider: 'salesforce', ...switches }),
    fault: (fault: Record<string, unknown>) => control('/faults', { provider: 'salesforce', ...fault }),
    origin: () => sandbox.origin,
    token: (request: TokenRequest) =>
      answer(request.url, { method: 'POST', body: new URLSearchParams(request.form) }),
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

/** The value, or a test failure with what went wrong. */
export function readOf<T>(looked: Looked<T>): T {
  if (!looked.ok) throw new Error(`not read: ${JSON.stringify(looked.result)}`);
  return looked.value;
}
