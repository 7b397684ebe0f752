import { expect, it } from 'vitest';
import { startReceiver } from '../e2e/receiver.ts';
import { aName } from '../e2e/rig.ts';
import { until } from '../support/until.ts';
import { describeConsole, noFaults, rowOf, said } from './console-rig.ts';

describeConsole('accounts and webhooks', (get) => {
  it('new credentials set an account going that needs them; it is tried, paused and resumed', async () => {
    const { rig, at } = get();
    const account = await rig.account('close', {}, { ...rig.credentials('close'), api_key: 'revoked' });
    const { body } = await rig.create(account, aName('Held'));
    const { page, complaints } = await at('');
    await rowOf(page, 'needs reauth').getByRole('link').first().click();
    const key = page.locator('input[name=api_key]');
    expect(await key.getAttribute('type')).toBe('password');
    await page.getByRole('button', { name: 'Try the credentials' }).click();
    await page.getByText('refused', { exact: true }).waitFor();
    await key.fill('demo-close-key');
    await page.locator('input[name=base_url]').fill(`${rig.sandbox.origin}/close`);
    await page.getByRole('button', { name: 'Replace' }).click();
    await said(page, 'The credentials are replaced');
    expect(await key.inputValue()).toBe('');
    // What was said of the old ones is not said of these.
    expect(await page.getByText('refused', { exact: true }).count()).toBe(0);
    expect((await rig.ended(String(body.id))).status).toBe('succeeded');

    await page.getByRole('button', { name: 'Try the credentials' }).click();
    await page.getByText('Ann').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await said(page, 'Paused');
    await page.getByRole('button', { name: 'Resume' }).click();
    await said(page, 'Resumed');
    expect(complaints).toEqual([]);
  });

  it('what a provider refuses signs nobody out', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const { page } = await at(`#/accounts/${account.id}`);
    await page.getByText('Change them').click();
    await page.getByLabel('Settings').fill('{"marker": {"kind": "custom_field", "field": "cf_Nothing"}}');
    await rig.control('faults', { provider: 'close', kind: 'status', status: 401, times: -1 });
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByRole('alert').getByText('account_needs_reauth').waitFor();
    await noFaults(rig);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  });

  it('settings are changed by name: what somebody else has set meanwhile stays', async () => {
    const { rig, at } = get();
    const account = await rig.account('close', { read_back: false });
    const path = `/integrated-accounts/${account.id}`;
    const { settings } = (await rig.ask('GET', path)).body as { settings: Record<string, unknown> };
    const { page, complaints } = await at(`#/accounts/${account.id}`);
    await page.getByText('Change them').click();
    const text = page.getByLabel('Settings');
    const change = page.getByRole('button', { name: 'Change', exact: true });
    await text.fill('[]');
    await change.click();
    await page.getByText('The settings must be a JSON object').waitFor();
    const { read_back: _, ...others } = settings;
    await text.fill(JSON.stringify({ ...others, timeout_ms: 5_000 }));
    await rig.ask('PATCH', path, { settings: { on_unsupported: 'reject' } });
    await page.locator('pre').getByText('on_unsupported').waitFor();
    await change.click();
    await said(page, 'The settings are changed');
    const changed = await rig.ask('GET', path);
    expect(changed.body.settings).toEqual({ ...others, timeout_ms: 5_000, on_unsupported: 'reject' });
    expect(complaints).toEqual([]);
  });

  it('an account is connected; what was typed for one kind of credentials is not there for another', async () => {
    const { rig, at } = get();
    const { page, complaints } = await at('#/accounts');
    await page.getByText('Connect an account').click();
    await page.getByRole('combobox', { name: 'Provider' }).selectOption('close');
    await page.locator('input[name=api_key]').fill('secret-of-close');
    for (const [label, option] of [
      ['Kind of credentials', 'oauth2_refresh_token'],
      ['Provider', 'salesforce'],
      ['Kind of credentials', 'jwt_bearer'],
      ['Provider', 'capsule'],
    ] as const) {
      await page.getByRole('combobox', { name: label }).selectOption(option);
      const values = await page.evaluate(
        '[...document.querySelectorAll("input, textarea")].map((one) => one.value)',
      );
      expect(values).not.toContain('secret-of-close');
    }
    expect(await page.getByRole('combobox', { name: 'Kind of credentials' }).inputValue()).toBe(
      'personal_access_token',
    );
    await page.getByLabel('Name').fill('By hand');
    await page.locator('input[name=token]').fill('demo-capsule-token');
    await page.locator('input[name=base_url]').fill(`${rig.sandbox.origin}/capsule`);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('By hand').waitFor();
    await page.getByText('capsule', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('webhook endpoints show what became of each delivery, and the one that is pressed is sent again', async () => {
    const { rig, at } = get();
    await using receiver = await startReceiver();
    const made = await rig.ask('POST', '/webhook-endpoints', {
      url: receiver.url,
      events: ['job.succeeded'],
    });
    const path = `/webhook-endpoints/${made.body.id}`;
    const { page, complaints } = await at('#/webhooks');
    await page.getByRole('link', { name: receiver.url }).click();
    await page.getByRole('button', { name: 'Send a test event' }).click();
    await rowOf(page, 'job.succeeded').getByText('delivered').waitFor();
    const [delivery] = (await rig.ask('GET', `${path}/deliveries`)).body.data as { id: string }[];
    await page.getByRole('button', { name: 'Send again' }).focus();
    await rig.ask('POST', `${path}/test`);
    await until('another stands above it', async () => (await page.locator('tbody tr').count()) === 2);
    const again = page.waitForRequest(`**/deliveries/${delivery?.id}/redeliver`);
    await page.keyboard.press('Enter');
    await again;
    await until('it came again', () => receiver.bodies.length === 3);
    await page.getByRole('button', { name: 'Send the failed ones again' }).click();
    await said(page, 'None has failed');
    // Where there are more than one call looks at, it goes on from where that one ended.
    const parts = [
      { queued: 0, next_since: '2026-11-28T12:00:00.000Z' },
      { queued: 3, next_since: null },
    ];
    const bodies: unknown[] = [];
    await page.route('**/replay', (route) => {
      bodies.push(route.request().postDataJSON());
      return route.fulfill({ status: 202, json: parts[bodies.length - 1] });
    });
    await page.getByRole('button', { name: 'Send the failed ones again' }).click();
    await said(page, 'Sent again: 3');
    expect(bodies).toEqual([{ only_failed: true }, { only_failed: true, since: parts[0]?.next_since }]);
    await page.getByRole('button', { name: 'Disable' }).click();
    await said(page, 'Disabled');
    await page.getByRole('button', { name: 'Enable' }).waitFor();
    // Nothing goes to it now, and nothing is offered that would be refused.
    expect(await page.getByRole('button', { name: /Send/ }).count()).toBe(0);
    await page.getByRole('link', { name: 'Needs you' }).click();
    await rowOf(page, receiver.url).getByText('by request').waitFor();
    expect((await rig.ask('DELETE', path)).status).toBe(204);
    expect(complaints).toEqual([]);
  });
});
