import { randomUUID } from 'node:crypto';
import { opportunityBody } from './bodies.ts';
import type { ApiClient } from './client.ts';

/** Seeds of the sandbox. */
export const CLOSE_IDS = { leads: ['lead_Northwind', 'lead_Contoso', 'lead_Fabrikam'], owner: 'user_Ann' };

export type BenchAccount = {
  id: string;
  /** Its `Authorization` header at the provider. */
  authorization: string;
  /** The same as the sandbox's call log shows it. */
  shown: string;
};

const KEY_PREFIX = 'demo-close-key-';
/** Two characters, so that the last four of the header, which is what the call log shows, tell accounts apart. */
const ACCOUNTS_MAX = 36 ** 2;

/** A credential of the sandbox's organisation: any suffix joins as a further user. `n` is unique within one sandbox. */
export function closeCredential(n: number): Omit<BenchAccount, 'id'> & { apiKey: string } {
  if (n >= ACCOUNTS_MAX) throw new Error(`more than ${ACCOUNTS_MAX} accounts cannot be told apart`);
  // Base64 in groups of three bytes: the last group is the two characters and the colon.
  const apiKey = `${KEY_PREFIX}acc${n.toString(36).padStart(2, '0')}`;
  const authorization = `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}`;
  return { apiKey, authorization, shown: `Basic …${authorization.slice(-4)}` };
}

export type AccountOptions = {
  n: number;
  /** Where its provider is. */
  origin: string;
  settings?: Record<string, unknown>;
};

export async function connectClose(
  client: ApiClient,
  { n, origin, settings }: AccountOptions,
): Promise<BenchAccount> {
  const { apiKey, authorization, shown } = closeCredential(n);
  const { id } = await client.call<{ id: string }>('POST', '/integrated-accounts', {
    provider: 'close',
    name: `bench ${n}`,
    credentials: { type: 'api_key', api_key: apiKey, base_url: `${origin}/close` },
    ...(settings ? { settings } : {}),
  });
  return { id, authorization, shown };
}

/** One create of an account, as a product would send it. */
export function sendCreate(client: ApiClient, account: string, i: number): Promise<unknown> {
  return client.call(
    'POST',
    `/unified/crm/opportunities?integrated_account_id=${account}`,
    opportunityBody(i, CLOSE_IDS),
    randomUUID(),
  );
}

export async function openJobsOf(client: ApiClient, account: string): Promise<number> {
  const { queue } = await client.call<{ queue: { waiting: number; running: number; delayed: number } }>(
    'GET',
    `/integrated-accounts/${account}`,
  );
  return queue.waiting + queue.running + queue.delayed;
}
