import { describe, expect, it } from 'vitest';
import { demoAccounts } from '../../local/demo-accounts.ts';
import { startApi, startSandboxProcess, startWorker, TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl, uniquePrefix } from '../support/redis.ts';

const headers = { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, 'content-type': 'application/json' };

describe('a create that waits, with a worker and the CRMs', () => {
  it('gives the opportunity in the format asked for, from all three', { timeout: 60_000 }, async () => {
    await using sandbox = await startSandboxProcess();
    const installation = { redisUrl: testRedisUrl(), prefix: uniquePrefix() };
    await using api = await startApi(installation);
    await using _worker = await startWorker(installation);
    const accounts = demoAccounts(sandbox.origin);
    await connect(api.origin, accounts);
    for (const { id, example, provider } of accounts) {
      const create = async (query: string) => {
        const url = `${api.origin}/unified/crm/opportunities?integrated_account_id=${id}${query}`;
        const body = JSON.stringify({ ...example, name: 'Waited for' });
        const response = await fetch(url, {
          method: 'POST',
          headers: { ...headers, prefer: 'wait=30' },
          body,
        });
        // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts
        return { status: response.status, body: (await response.json()) as any };
      };
      const unified = await create('&truto_exclude_fields=owner.id,status');
      expect(unified.status, `${provider} ${JSON.stringify(unified.body)}`).toBe(201);
      expect(unified.body).toMatchObject({ name: 'Waited for', remote_data: expect.anything() });
      expect(unified.body.id).toEqual(expect.any(String));
      expect(unified.body).not.toHaveProperty('status');
      expect(unified.body.owner ?? {}).not.toHaveProperty('id');
      const normalized = await create('&truto_response_format=normalized');
      expect(normalized.body).toMatchObject({ name: 'Waited for' });
      // Present in all three, and null where the provider has no such thing.
      expect(normalized.body.tags === null).toBe(provider !== 'capsule');
      expect(normalized.body).not.toHaveProperty('remote_data');
      const preview = await create('&dry_run=true');
      expect(preview, provider).toMatchObject({
        status: 200,
        body: { valid: true, request: { method: 'POST' } },
      });
      expect(preview.body.request.url.startsWith(`${sandbox.origin}/${provider}/`)).toBe(true);
    }
  });

  it('is refused before it is stored when it may not lose its currency, also as the first of its account', async () => {
    await using sandbox = await startSandboxProcess();
    const installation = { redisUrl: testRedisUrl(), prefix: uniquePrefix() };
    await using api = await startApi(installation);
    await using _worker = await startWorker(installation);
    const [account] = demoAccounts(sandbox.origin).filter(({ provider }) => provider === 'salesforce');
    if (!account) throw new Error('there is no Salesforce demo account');
    await connect(api.origin, [account]);
    const url = `${api.origin}/unified/crm/opportunities?integrated_account_id=${account.id}&on_unsupported=reject`;
    const body = JSON.stringify({ ...account.example, currency: 'EUR' });
    const response = await fetch(url, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'unsupported_field',
      details: { failures: [{ pointer: '/currency' }] },
    });
    const meta = await fetch(
      `${api.origin}/unified/crm/opportunities/meta/create?integrated_account_id=${account.id}`,
      { headers },
    );
    // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts
    const { fields } = (await meta.json()) as any;
    const supportOf = (wanted: string) =>
      fields.find(({ name }: { name: string }) => name === wanted).support;
    expect(['currency', 'created_at', 'amount'].map(supportOf)).toEqual([
      'unsupported',
      'unsupported',
      'supported',
    ]);
  });
});

async function connect(origin: string, accounts: ReturnType<typeof demoAccounts>): Promise<void> {
  for (const { id, name, provider, credentials, settings } of accounts) {
    const body = JSON.stringify({ id, name, provider, credentials, settings });
    const response = await fetch(`${origin}/integrated-accounts`, { method: 'POST', headers, body });
    expect(response.status, await response.text()).toBe(201);
  }
}
