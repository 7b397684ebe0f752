import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { closeRows, importsOf, salesforceRows } from '../e2e/import-support.ts';
import { startReceiver } from '../e2e/receiver.ts';
import { aName, type Rig, startRig, type Target } from '../e2e/rig.ts';
import { findChromium } from '../support/chromium.ts';
import { type RunningProcess, TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { type Opened, openConsole, signIn, startBrowser } from './console-rig.ts';

vi.setConfig({ testTimeout: 60_000 });

const chromium = findChromium();
const missing = chromium ? '' : ' (no Chromium on PATH or in CHROMIUM_PATH: not run)';
if (missing) console.log(`the console in a browser${missing}`);

describe.skipIf(missing !== '')(`the console in a browser${missing}`, () => {
  let rig: Rig;
  let imports: ReturnType<typeof importsOf>;
  let worker: RunningProcess;
  let browser: Browser;

  beforeAll(async () => {
    [rig, browser] = await Promise.all([startRig(testRedisUrl()), startBrowser(chromium ?? '')]);
    imports = importsOf(rig);
    worker = await rig.workerForAll();
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.kill();
    await rig?.close();
  });

  /** Signed in, at a place like `#/jobs`. */
  async function at(path: string): Promise<Opened> {
    const opened = await openConsole(browser, rig.api.origin, path);
    await signIn(opened.page);
    await opened.page.getByRole('button', { name: 'Sign out' }).waitFor();
    return opened;
  }
  const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });
  const agree = (page: Page) => page.on('dialog', (dialog) => dialog.accept());

  /** A create whose answer was lost, and for which the provider cannot be asked. */
  async function inReview(account: Target, name: string): Promise<string> {
    await rig.fault(account, { kind: 'reset_after_commit', times: 1 });
    const looks = { method: 'GET', path: '/event/' };
    await rig.control('faults', {
      provider: 'close',
      kind: 'status',
      status: 403,
      times: -1,
      match: looks,
    });
    const { body } = await rig.create(account, name);
    expect((await rig.ended(String(body.id))).status).toBe('needs_review');
    await fetch(`${rig.sandbox.origin}/_control/faults?provider=close`, { method: 'DELETE' });
    return String(body.id);
  }

  it('lets nobody in without a token, and keeps it in the tab alone', async () => {
    const { page, complaints } = await openConsole(browser, rig.api.origin);
    await signIn(page, 'not-a-token');
    await page.getByRole('alert').getByText('unauthorized').waitFor();
    await signIn(page);
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    const kept = await page.evaluate<string[]>(
      '[location.href, JSON.stringify(localStorage), document.cookie]',
    );
    expect(kept.join()).not.toContain(TEST_ADMIN_TOKEN);
    await page.reload();
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('shows another workspace to whoever names it', async () => {
    const account = await rig.account('close');
    const { page } = await openConsole(browser, rig.api.origin, '#/accounts');
    await signIn(page, TEST_ADMIN_TOKEN, 'elsewhere');
    await page.getByText('No account is connected.').waitFor();
    await page.goto(`${rig.api.origin}/console#/accounts/${account.id}`);
    await page.getByText('There is no such integrated account').waitFor();
  });

  it('a doubt is ended by a person: the record that was found is taken over', async () => {
    const account = await rig.account('close');
    const name = aName('Doubt');
    const id = await inReview(account, name);
    const [record] = (await rig.records(account, name)) as { id: string }[];
    const { page, complaints } = await at('');
    await page.getByRole('link', { name }).click();
    await page.getByRole('heading', { name: 'Was it written?' }).waitFor();
    await page.getByLabel('It is the record').fill(String(record?.id));
    await page.getByRole('button', { name: 'Take it over' }).click();
    await page.getByRole('status').getByText('Taken over').waitFor();
    await page.getByText('succeeded').first().waitFor();
    expect((await rig.job(id)).result?.id).toBe(record?.id);
    expect(await rig.records(account, name)).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  it('a doubt is ended by a person: what is not there is written, after a second question', async () => {
    const account = await rig.account('close');
    const name = aName('Unwritten');
    const id = await inReview(account, name);
    const { page } = await at(`#/jobs/${id}`);
    const write = page.getByRole('button', { name: 'It is not there: write it' });
    page.once('dialog', (dialog) => dialog.dismiss());
    await write.click();
    expect((await rig.job(id)).status).toBe('needs_review');
    agree(page);
    await write.click();
    await page.getByRole('status').getByText('Queued again').waitFor();
    expect((await rig.ended(id)).status).toBe('succeeded');
    // One of them was lost on the way back, and its person said that it was not there.
    expect(await rig.records(account, name)).toHaveLength(2);
  });

  it('a failed job is corrected and tried again; what is wrong with the correction is said by field', async () => {
    const account = await rig.account('close');
    const name = aName('Wrong');
    const { body } = await rig.ask('POST', `/unified/crm/opportunities?integrated_account_id=${account.id}`, {
      name,
      account: { id: 'lead_Nobody' },
      owner: { id: 'user_Ann' },
    });
    const id = String(body.id);
    expect((await rig.ended(id)).status).toBe('failed');
    const { page, complaints } = await at('');
    await page.getByRole('link', { name }).click();
    await page.getByText('Correct it first').click();
    const text = page.getByRole('textbox', { name: 'Body' });
    await text.fill('{');
    await page.getByRole('button', { name: 'Retry with this body' }).click();
    await page.getByText('The body must be JSON').waitFor();
    await text.fill(JSON.stringify({ name, amount: 'much', account: { id: 'lead_Northwind' } }));
    await page.getByRole('button', { name: 'Retry with this body' }).click();
    await page.getByText('/body/amount', { exact: true }).waitFor();
    await text.fill(JSON.stringify({ name, account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } }));
    await page.getByRole('button', { name: 'Retry with this body' }).click();
    await page.getByRole('status').getByText('Queued again, corrected').waitFor();
    expect((await rig.ended(id)).status).toBe('succeeded');
    await page.getByText('Result', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('jobs are found by status, account and key, a page at a time', async () => {
    const account = await rig.account('close');
    const names = Array.from({ length: 3 }, () => aName('Listed'));
    for (const name of names)
      await rig.ended(String((await rig.create(account, name, `key ${name}`)).body.id));
    const { page } = await at('#/jobs');
    await page.getByRole('combobox', { name: 'Account' }).selectOption(account.id);
    await page.getByRole('combobox', { name: 'Status' }).selectOption('succeeded');
    await page.getByRole('button', { name: 'Show' }).click();
    await until('they are shown', async () => (await page.locator('tbody tr').count()) === 3);
    await page.getByLabel('Idempotency key').fill(`key ${names[1]}`);
    await page.getByRole('button', { name: 'Show' }).click();
    await until('one is shown', async () => (await page.locator('tbody tr').count()) === 1);
    await rowOf(page, String(names[1])).waitFor();
  });

  it('an account is paused, resumed, tried and connected; new credentials set one going that needs them', async () => {
    const account = await rig.account('close', {}, { ...rig.credentials('close'), api_key: 'revoked' });
    const name = aName('Held');
    const { body } = await rig.create(account, name);
    const { page, complaints } = await at('');
    await rowOf(page, 'needs reauth').getByRole('link').first().click();
    await page.getByText('They are never shown').waitFor();
    await page.locator('input[name=api_key]').fill('demo-close-key');
    await page.locator('input[name=base_url]').fill(`${rig.sandbox.origin}/close`);
    await page.getByRole('button', { name: 'Replace' }).click();
    await page.getByRole('status').getByText('The credentials are replaced').waitFor();
    expect(await page.locator('input[name=api_key]').inputValue()).toBe('');
    expect((await rig.ended(String(body.id))).status).toBe('succeeded');

    await page.getByRole('button', { name: 'Try the credentials' }).click();
    await page.getByText('Ann').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('status').getByText('Paused').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('status').getByText('Resumed').waitFor();

    await page.getByText('Change them').click();
    await page.getByLabel('Settings').fill('{"timeout_ms": 5000}');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByRole('status').getByText('The settings are changed').waitFor();
    const changed = await rig.ask('GET', `/integrated-accounts/${account.id}`);
    expect(changed.body.settings).toEqual({ timeout_ms: 5_000 });

    // What the provider refuses is no reason to sign anybody out.
    await page.getByLabel('Settings').fill('{"marker": {"kind": "custom_field", "field": "cf_Nothing"}}');
    await rig.control('faults', { provider: 'close', kind: 'status', status: 401, times: -1 });
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByText('account_needs_reauth').waitFor();
    await fetch(`${rig.sandbox.origin}/_control/faults?provider=close`, { method: 'DELETE' });

    await page.getByRole('link', { name: 'Accounts' }).click();
    await page.getByText('Connect an account').click();
    await page.getByRole('combobox', { name: 'Provider' }).selectOption('capsule');
    await page.getByLabel('Name').fill('By hand');
    await page.locator('input[name=token]').fill('demo-capsule-token');
    await page.locator('input[name=base_url]').fill(`${rig.sandbox.origin}/capsule`);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('By hand').waitFor();
    await page.getByText('capsule', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('a file is looked at, imported and followed; rows that failed say why, and results can be taken home', async () => {
    const account = await rig.account('salesforce');
    const name = aName('File');
    const rows = salesforceRows(name, 30, (row) => (row === 7 ? { close_date: 'soon' } : {}));
    const file = { name: 'deals.ndjson', mimeType: '', buffer: Buffer.from(rows) };
    const { page, complaints } = await at('#/imports');
    await page.getByText('Import a file').click();
    await page.getByRole('combobox', { name: 'Account' }).selectOption(account.id);
    await page.getByLabel('File').setInputFiles({ ...file, name: 'deals' });
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('does not say what it is').waitFor();
    await page.getByLabel('File').setInputFiles(file);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('/close_date').waitFor();
    expect(await rig.records(account, name)).toEqual([]);

    await page.getByLabel('Only look at it').uncheck();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('heading', { name: 'Import', exact: true }).waitFor();
    await page.getByText('completed').waitFor({ timeout: 20_000 });
    await rowOf(page, '/close_date').getByText('failed').waitFor();
    expect(await rig.records(account, name)).toHaveLength(29);

    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Results as CSV' }).click();
    const text = await readFile(await (await coming).path(), 'utf8');
    expect(text.trim().split(/\r?\n/)).toHaveLength(31);
    expect(complaints).toEqual([]);
  });

  it('an import is paused, resumed and cancelled', async () => {
    const account = await rig.account('close', {
      rate_limit: { requests: 5, per_seconds: 1, concurrency: 2 },
    });
    const id = await imports.accepted(account, closeRows(aName('Control'), 200));
    const { page } = await at(`#/imports/${id}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('status').getByText('Paused').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('status').getByText('Resumed').waitFor();
    agree(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('status').getByText('Cancelled').waitFor();
    expect((await imports.ended(id)).status).toBe('cancelled');
  });

  it('webhook endpoints show what became of each delivery, and send it again', async () => {
    await using receiver = await startReceiver();
    const endpoint = await rig.ask('POST', '/webhook-endpoints', {
      url: receiver.url,
      events: ['job.succeeded'],
    });
    const { page, complaints } = await at('#/webhooks');
    await page.getByRole('link', { name: receiver.url }).click();
    await page.getByRole('button', { name: 'Send a test event' }).click();
    await rowOf(page, 'job.succeeded').getByText('delivered').waitFor();
    await page.getByRole('button', { name: 'Send again' }).click();
    await until('it came again', () => receiver.bodies.length === 2);
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('status').getByText('Disabled').waitFor();
    await page.getByRole('link', { name: 'Needs you' }).click();
    await rowOf(page, receiver.url).getByText('by request').waitFor();
    expect((await rig.ask('DELETE', `/webhook-endpoints/${endpoint.body.id}`)).status).toBe(204);
    expect(complaints).toEqual([]);
  });

  it('what callers and providers write is shown, and never run', async () => {
    const account = await rig.account('close');
    const name = `<img src=x onerror="document.title='run'"> ${aName('Markup')}`;
    const id = await inReview(account, name);
    const { page, complaints } = await at(`#/jobs/${id}`);
    await page.getByText(name).first().waitFor();
    expect(await page.title()).toBe('Job · Dealwright');
    expect(await page.locator('main img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('a token that may read jobs alone sees them, and is told what it may not see', async () => {
    const made = await rig.ask('POST', '/api-tokens', { workspace: 'default', scopes: ['jobs:read'] });
    const { page } = await openConsole(browser, rig.api.origin);
    await signIn(page, String(made.body.token));
    await page.getByText('insufficient_scope').first().waitFor();
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.locator('tbody tr').first().waitFor();
  });

  it('says so when the API is gone, and goes on when it is back', async () => {
    const { page } = await at('#/jobs');
    await page.locator('tbody tr').first().waitFor();
    await page.context().setOffline(true);
    await page.getByText('The API cannot be reached').waitFor();
    // What was read before stays in sight.
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(0);
    await page.context().setOffline(false);
    await page.getByText('The API cannot be reached').waitFor({ state: 'detached' });
  });
});
