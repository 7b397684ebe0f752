import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { z } from 'zod';
import { startSandbox } from '../../sandbox/core/start.ts';
import { systemClock } from '../../shared/clock.ts';
import type { AccountSettings, StoredCredentials } from '../../shared/domain/integrated-account.ts';
import type { OpportunityInput } from '../../shared/domain/opportunity.ts';
import type { BatchRow } from '../../shared/providers/batch-port.ts';
import type { Call } from '../../shared/providers/port.ts';
import { toUrl } from '../../shared/providers/request-url.ts';
import { salesforceClient } from '../../shared/providers/salesforce/client.ts';
import { salesforce } from '../../shared/providers/salesforce/descriptor.ts';
import { createSender, type Send } from '../../shared/providers/send.ts';

export const SETTINGS: AccountSettings = { marker: { kind: 'external_id', field: 'Dealwright_Id__c' } };

/** A row as the import engine plans it: the single upsert by the row's own key. */
export function aRow(over: Partial<OpportunityInput> = {}, key: string = randomUUID()): BatchRow {
  const opportunity = { name: 'Deal', stage: { id: 'Prospecting' }, close_date: '2026-12-24', ...over };
  const marker = { kind: 'external_id', field: 'Dealwright_Id__c', value: key } as const;
  const mapped = salesforce.plan({
    opportunity,
    settings: SETTINGS,
    facts: undefined,
    remoteQuery: {},
    marker,
  });
  if (!mapped.ok) throw new Error(JSON.stringify(mapped.failures));
  return { key, plan: mapped.plan };
}

export const rowsOf = (count: number): BatchRow[] =>
  Array.from({ length: count }, (_, index) => aRow({ name: `Deal ${index}` }));

const Records = z.object({ records: z.array(z.record(z.string(), z.unknown())) });
const Calls = z.object({ by_call: z.record(z.string(), z.number()) });

export type BatchRig = {
  /** The real sender: what is lost here would be lost in production. */
  call: Call;
  send: Send;
  credentials: () => StoredCredentials;
  fault: (fault: Record<string, unknown>) => Promise<unknown>;
  configure: (options: Record<string, unknown>) => Promise<unknown>;
  records: () => Promise<Record<string, unknown>[]>;
  /** Method and path pattern → how many calls the sandbox counted. */
  calls: () => Promise<Record<string, number>>;
};

/** The sandbox behind real HTTP, clean before each test. */
export function useBatchRig(): BatchRig {
  let origin = '';
  let close: () => Promise<void> = async () => {};
  const sender = createSender({ isAllowed: () => true, clock: systemClock });

  async function control(method: string, path: string, body?: unknown) {
    const response = await fetch(`${origin}/_control${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return z.looseObject({}).parse(await response.json());
  }

  beforeAll(async () => {
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1' });
    origin = sandbox.origin;
    close = () => sandbox.close();
  });
  afterAll(async () => {
    await sender.close();
    await close();
  });
  beforeEach(() => control('POST', '/reset', {}));

  const credentials = (): StoredCredentials => ({
    type: 'oauth2_refresh_token',
    instance_url: `${origin}/salesforce`,
    client_id: 'demo-salesforce-client',
    client_secret: 'demo-salesforce-secret',
    refresh_token: 'demo-salesforce-refresh',
    access_token: 'demo-salesforce-access',
  });

  const call: Call = (request) => {
    const { body } = request;
    return sender.send({
      method: request.method,
      url: toUrl(salesforce.baseUrl(credentials(), SETTINGS), request),
      headers: {
        'content-type': 'application/json',
        ...request.headers,
        ...salesforceClient.authorize(credentials()),
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
      timeoutMs: 2_000,
    });
  };

  return {
    call,
    send: sender.send,
    credentials,
    fault: (fault) => control('POST', '/faults', { provider: 'salesforce', ...fault }),
    configure: (options) => control('POST', '/limits', { provider: 'salesforce', ...options }),
    records: async () => Records.parse(await control('GET', '/records?provider=salesforce')).records,
    calls: async () => Calls.parse(await control('GET', '/calls?provider=salesforce&summary=true')).by_call,
  };
}
