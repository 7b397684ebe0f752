import { randomBytes } from 'node:crypto';
import { startSandbox } from '../../sandbox/core/start.ts';
import type { DeliveryView, EventType, WebhookEndpointView } from '../../shared/domain/webhook.ts';
import type { Environment } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { aSystem, type Send } from './accounts-client.ts';

export type InboxRule = { kind: 'status' | 'hang' | 'reset' | 'redirect' } & Record<string, unknown>;

export type ReceivedWebhook = {
  at_ms: number;
  id: string;
  timestamp: number;
  type: string;
  sequence: number;
  subject: string;
  verified: boolean;
  reason?: string;
  truto_verified?: boolean;
  answered: number | string;
  headers: Record<string, string>;
  body: string;
};

type Endpoint = WebhookEndpointView & { secret: string };

/** Retries within a second, so that what takes days in production takes seconds here. */
export const HASTY_WEBHOOKS: Environment = {
  WEBHOOK_RETRY_SECONDS: '0,0.3,0.5,1',
  WEBHOOK_TIMEOUT_MS: '1000',
};

let inboxes = 0;

/** API and worker as processes, the sandbox with its receiver in this one; a workspace for each test. */
export async function aWebhookSystem(env: Environment = {}) {
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1' });
  const system = await aSystem({ worker: true, env: { ...HASTY_WEBHOOKS, ...env } });
  return {
    ...system,
    sandbox,
    aWorkspace: () => aWorkspace(system.send, sandbox.origin),
    async stop() {
      await system.stop();
      await sandbox.close();
    },
  };
}

function aWorkspace(asAdmin: Send, sandboxOrigin: string) {
  const workspace = `w${randomBytes(6).toString('hex')}`;
  const send: Send = (method, path, body, headers) =>
    asAdmin(method, path, body, { 'x-workspace': workspace, ...headers });

  async function control<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${sandboxOrigin}/_control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    // Each caller knows what the route it asks answers.
    return (await response.json()) as T;
  }

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const reply = await send(method, path, body);
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    // What each test asks for is in the OpenAPI document.
    return reply.body as T;
  }

  function anInbox() {
    const name = `inbox${++inboxes}`;
    const received = async () =>
      (await control<{ received: ReceivedWebhook[] }>('GET', `receiver?inbox=${name}`)).received;
    return {
      url: `${sandboxOrigin}/receiver/${name}`,
      received,
      set: (settings: { secrets?: string[]; truto_secret?: string; rules?: InboxRule[] }) =>
        control('POST', 'receiver', { inbox: name, ...settings }),
      /** Waits for `count` webhooks that fit. */
      wait: (count: number, fits: (one: ReceivedWebhook) => boolean = () => true) =>
        until(`${count} webhooks in ${name}`, async () => {
          const fitting = (await received()).filter(fits);
          return fitting.length >= count ? fitting : undefined;
        }),
    };
  }

  async function anEndpoint(
    inbox: { url: string; set: (settings: { secrets: string[] }) => Promise<unknown> },
    more: { events?: (EventType | '*')[]; truto_signature?: boolean } = {},
  ): Promise<Endpoint> {
    const body = { url: inbox.url, events: ['*'], ...more };
    const endpoint = await call<Endpoint>('POST', '/webhook-endpoints', body);
    await inbox.set({ secrets: [endpoint.secret] });
    return endpoint;
  }

  async function anAccount(settings: Record<string, unknown> = {}): Promise<string> {
    const { id } = await call<{ id: string }>('POST', '/integrated-accounts', {
      provider: 'close',
      name: 'Acme',
      credentials: { type: 'api_key', api_key: 'demo-close-key', base_url: `${sandboxOrigin}/close` },
      settings: { rate_limit: { requests: 1_000, per_seconds: 1 }, ...settings },
    });
    return id;
  }

  const create = (account: string, query = '', more: Record<string, unknown> = {}) =>
    call<{ id: string }>('POST', `/unified/crm/opportunities?integrated_account_id=${account}${query}`, {
      account: { id: 'lead_Northwind' },
      owner: { id: 'user_Ann' },
      ...more,
    });

  const deliveries = async (endpoint: string, query = ''): Promise<DeliveryView[]> =>
    (await call<{ data: DeliveryView[] }>('GET', `/webhook-endpoints/${endpoint}/deliveries${query}`)).data;

  return {
    workspace,
    sandboxOrigin,
    send,
    control,
    call,
    anInbox,
    anEndpoint,
    anAccount,
    create,
    deliveries,
  };
}
