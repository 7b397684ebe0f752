import type { ApiClient } from './client.ts';
import type { BenchSandbox } from './sandbox.ts';

/** A field of the sandbox's organisation that is External ID and Unique. */
export const KEY_FIELD = 'Dealwright_Id__c';

/** Any suffix of the sandbox's demo session is a session of its own. */
export const accessTokenOf = (label: string) => `demo-salesforce-access-bench${label}`;

/** An account whose rows may go in batches. */
export async function connectSalesforce(
  client: ApiClient,
  { label, origin }: { label: string; origin: string },
): Promise<{ id: string }> {
  return client.call<{ id: string }>('POST', '/integrated-accounts', {
    provider: 'salesforce',
    name: `bench ${label}`,
    credentials: {
      type: 'oauth2_refresh_token',
      instance_url: `${origin}/salesforce`,
      login_url: `${origin}/salesforce`,
      client_id: 'demo-salesforce-client',
      client_secret: 'demo-salesforce-secret',
      refresh_token: `demo-salesforce-refresh-bench${label}`,
      access_token: accessTokenOf(label),
    },
    settings: {
      marker: { kind: 'external_id', field: KEY_FIELD },
      rate_limit: { requests: 1_000_000, per_seconds: 1, concurrency: 8 },
    },
  });
}

/** Calls that Salesforce would count against the organisation's day, since the last reset. */
export async function meteredCalls(
  sandbox: BenchSandbox,
): Promise<{ total: number; by: Record<string, number> }> {
  const { by_call } = await sandbox.control<{ by_call: Record<string, number> }>(
    'GET',
    '/calls?provider=salesforce&summary=true',
  );
  const by = Object.fromEntries(
    Object.entries(by_call).filter(([call]) => call.includes('/services/data/v')),
  );
  return { total: Object.values(by).reduce((sum, calls) => sum + calls, 0), by };
}
