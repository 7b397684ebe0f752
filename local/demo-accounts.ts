/** What `npm start` connects, so that the first create works when pasted. The sandbox never changes these ids. */

export type DemoAccount = {
  id: string;
  name: string;
  provider: string;
  credentials: Record<string, string>;
  settings: { defaults: Record<string, unknown> };
  /** Body of the create that is printed: the minimum of the provider's page. */
  example: Record<string, unknown>;
};

/** One account per provider at the sandbox under `sandbox` (an origin). */
export function demoAccounts(sandbox: string): DemoAccount[] {
  const example = { name: 'Annual License' };
  return [
    {
      id: '62f44730-dd91-461e-bd6a-aedd9e0ad79d',
      name: 'Demo Salesforce',
      provider: 'salesforce',
      credentials: {
        type: 'oauth2_refresh_token',
        instance_url: `${sandbox}/salesforce`,
        login_url: `${sandbox}/salesforce`,
        client_id: 'demo-salesforce-client',
        client_secret: 'demo-salesforce-secret',
        refresh_token: 'demo-salesforce-refresh',
      },
      settings: { defaults: { stage: { name: 'Prospecting' }, close_date: 'P90D' } },
      example,
    },
    {
      id: '2c1f6a70-5a41-4a0b-9d3e-0c8f4b7e1c05',
      name: 'Demo Close',
      provider: 'close',
      credentials: { type: 'api_key', api_key: 'demo-close-key', base_url: `${sandbox}/close` },
      settings: { defaults: { account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } } },
      example: { ...example, amount: 1250.5 },
    },
    {
      id: '9b8de1f4-3c55-4f0e-8a27-6f1d2e5b7a90',
      name: 'Demo Capsule',
      provider: 'capsule',
      credentials: {
        type: 'personal_access_token',
        token: 'demo-capsule-token',
        base_url: `${sandbox}/capsule`,
      },
      settings: {
        defaults: { account: { id: '4711' }, stage: { name: 'Qualified' }, currency: 'EUR' },
      },
      example,
    },
  ];
}

/**
 * Connects the account. One that exists keeps its settings, but gets the credentials again: the sandbox may listen
 * elsewhere today, and forgets the tokens it gave out yesterday.
 * @throws Error with the API's own words when it refuses.
 */
export async function connectDemoAccount(
  api: string,
  adminToken: string,
  account: DemoAccount,
): Promise<void> {
  const send = (method: string, path: string, body: unknown) =>
    fetch(`${api}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
  const { example: _, ...created } = account;
  let response = await send('POST', '/integrated-accounts', created);
  if (response.status === 409) {
    await response.arrayBuffer();
    response = await send('PUT', `/integrated-accounts/${account.id}/credentials`, account.credentials);
  }
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${account.name} could not be connected (${response.status}): ${text.slice(0, 500)}`);
  }
}
