import { createHash } from 'node:crypto';

/** Short, so that a run is bounded; the faults' delays are drawn relative to them. */
export const TIMEOUT_MS = 1_500;
export const SETTLE_MS = 3_000;

export type ProviderName = 'salesforce' | 'close' | 'capsule';
export type ChaosAccount = {
  id: string;
  name: string;
  provider: ProviderName;
  marker: { kind: 'external_id' | 'custom_field' | 'text'; field: string } | null;
  credentials: Record<string, string>;
  /** What the provider is shown, so that a fault can aim at this account. */
  authorization: string;
};

/** Parents of the sandbox that markerless creates are spread over: under one parent they wait for each other. */
const PARENTS = 1_000;

/** Every provider with every kind of marker it can carry, and without. */
export function chaosAccounts(sandbox: string): ChaosAccount[] {
  return [
    salesforce(sandbox, 'external', { kind: 'external_id', field: 'Dealwright_Id__c' }),
    salesforce(sandbox, 'field', { kind: 'custom_field', field: 'Dealwright_Ref__c' }),
    salesforce(sandbox, 'bare', null),
    close(sandbox, 'field', { kind: 'custom_field', field: 'cf_Reference' }),
    close(sandbox, 'text', { kind: 'text', field: 'note' }),
    close(sandbox, 'bare', null),
    capsule(sandbox, 'field', { kind: 'custom_field', field: '901' }),
    capsule(sandbox, 'text', { kind: 'text', field: 'description' }),
    capsule(sandbox, 'bare', null),
  ];
}

/** The same in every process of a run: the naive worker knows its accounts by it. */
function idOf(name: string): string {
  const hex = createHash('sha256').update(`chaos ${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function salesforce(sandbox: string, label: string, marker: ChaosAccount['marker']): ChaosAccount {
  const token = `demo-salesforce-access-chaos${label}`;
  return {
    id: idOf(`salesforce ${label}`),
    name: `salesforce ${label}`,
    provider: 'salesforce',
    marker,
    authorization: token,
    credentials: {
      type: 'oauth2_refresh_token',
      instance_url: `${sandbox}/salesforce`,
      login_url: `${sandbox}/salesforce`,
      client_id: 'demo-salesforce-client',
      client_secret: 'demo-salesforce-secret',
      refresh_token: `demo-salesforce-refresh-chaos${label}`,
      access_token: token,
    },
  };
}

function close(sandbox: string, label: string, marker: ChaosAccount['marker']): ChaosAccount {
  const key = `demo-close-key-chaos${label}`;
  return {
    id: idOf(`close ${label}`),
    name: `close ${label}`,
    provider: 'close',
    marker,
    authorization: Buffer.from(`${key}:`).toString('base64'),
    credentials: { type: 'api_key', api_key: key, base_url: `${sandbox}/close` },
  };
}

function capsule(sandbox: string, label: string, marker: ChaosAccount['marker']): ChaosAccount {
  const token = `demo-capsule-token-chaos${label}`;
  return {
    id: idOf(`capsule ${label}`),
    name: `capsule ${label}`,
    provider: 'capsule',
    marker,
    authorization: token,
    credentials: { type: 'personal_access_token', token, base_url: `${sandbox}/capsule` },
  };
}

export const settingsOf = (account: ChaosAccount) => ({
  marker: account.marker,
  timeout_ms: TIMEOUT_MS,
  reconcile: { settle_ms: SETTLE_MS, probes: 4 },
  retry: { max_attempts: 100 },
  rate_limit: { requests: 200, per_seconds: 1, concurrency: 16 },
});

/** The body our API takes. `parent` counts from 0. */
export function unifiedBody(account: ChaosAccount, name: string, parent: number): Record<string, unknown> {
  const place = parent % PARENTS;
  switch (account.provider) {
    case 'salesforce':
      return { name, stage: { name: 'Prospecting' }, close_date: '2027-03-31', amount: 1250.5 };
    case 'close':
      return {
        name,
        account: { id: `lead_Account${String(place + 1).padStart(4, '0')}` },
        owner: { id: 'user_Ann' },
        amount: 1250.5,
      };
    case 'capsule':
      return { name, account: { id: String(50_001 + place) }, stage: { name: 'Qualified' } };
  }
}
