import { expect, it } from 'vitest';
import { aName } from '../e2e/rig.ts';
import { TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { describeConsole, inReview, signIn } from './console-rig.ts';

describeConsole('its session', (get) => {
  it('lets nobody in without a token, and keeps it in the tab alone', async () => {
    const { page, complaints } = await get().open();
    await signIn(page, 'not-a-token');
    await page.getByRole('alert').getByText('unauthorized').waitFor();
    await signIn(page, 'tökens');
    await page.getByText('neither spaces nor letters beyond ASCII').waitFor();
    await signIn(page);
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    const kept = await page.evaluate<string[]>(
      '[location.href, JSON.stringify(localStorage), document.cookie, document.body.innerHTML]',
    );
    expect(kept.join()).not.toContain(TEST_ADMIN_TOKEN);
    await page.reload();
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate<string>('JSON.stringify(sessionStorage)')).not.toContain(TEST_ADMIN_TOKEN);
    expect(complaints).toEqual([]);
  });

  it('shows another workspace to whoever names it, and nothing of the one before', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const { page } = await at('#/jobs');
    const choices = page.getByRole('combobox', { name: 'Account' }).getByRole('option');
    await choices.nth(1).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, TEST_ADMIN_TOKEN, 'elsewhere');
    await page.getByText('No jobs like that').waitFor();
    expect(await choices.allTextContents()).toEqual(['any']);
    await page.goto(`${rig.api.origin}/console#/accounts/${account.id}`);
    await page.getByText('There is no such integrated account').waitFor();
  });

  it('a token that may read jobs alone sees them, is told what else it may not see, and names no workspace', async () => {
    const { rig, open } = get();
    const account = await rig.account('close');
    await rig.create(account, aName('Seen'));
    const made = await rig.ask('POST', '/api-tokens', { workspace: 'default', scopes: ['jobs:read'] });
    const { page } = await open();
    await signIn(page, String(made.body.token), 'elsewhere');
    await page.getByText('Only ADMIN_TOKEN may choose its workspace').waitFor();
    await signIn(page, String(made.body.token));
    await page.getByText('insufficient_scope').first().waitFor();
    await page.goto(`${rig.api.origin}/console#/jobs?integrated_account_id=${account.id}`);
    await page.locator('tbody tr').first().waitFor();
    // Its name is not known to this token, and it is still what is asked for.
    await page.getByRole('button', { name: 'Show' }).click();
    expect(page.url()).toContain(account.id);
  });

  it('a token that is taken away is signed out, wherever its reader is', async () => {
    const { rig, open } = get();
    const made = await rig.ask('POST', '/api-tokens', { workspace: 'default', scopes: ['jobs:read'] });
    const { page } = await open('#/jobs');
    await signIn(page, String(made.body.token));
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await rig.ask('DELETE', `/api-tokens/${made.body.id}`);
    await page.getByText('The token is unknown or was deleted').waitFor();
    expect(await page.evaluate<string>('JSON.stringify(sessionStorage)')).not.toContain(
      String(made.body.token),
    );
  });

  it('says so when the API is gone, and goes on when it is back', async () => {
    const { rig, at } = get();
    await rig.create(await rig.account('close'), aName('Read'));
    const { page } = await at('#/jobs');
    await page.locator('tbody tr').first().waitFor();
    await page.context().setOffline(true);
    await page.getByText('The API cannot be reached').waitFor();
    // What was read before stays in sight.
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(0);
    await page.context().setOffline(false);
    await page.getByText('The API cannot be reached').waitFor({ state: 'detached' });
  });

  it('says what keeps the whole from working, and goes on asking', async () => {
    const { page, complaints } = await get().at('#/jobs');
    const ready = { redis: 'ok', memory: 'full', durability: { message: null }, worker: { seen: false } };
    const answers = [
      { status: 500, json: {} },
      { status: 503, json: ready },
    ];
    await page.route('**/readyz', (route) => route.fulfill(answers.shift() ?? { status: 200, json: ready }));
    await page.getByRole('link', { name: 'Needs you' }).click();
    await page.getByText('does not say whether it is ready').waitFor();
    await page.getByText('No worker was seen for a minute').waitFor();
    await page.getByText('Redis is nearly full').waitFor();
    expect(complaints).toEqual([]);
  });

  it('asks again when the API says, and not before', async () => {
    const { page } = await get().at('#/accounts');
    await page.clock.install();
    const limited = { statusCode: 429, code: 'token_rate_limited', message: 'Slower, please.' };
    let asked = 0;
    await page.route('**/jobs', (route) => {
      asked += 1;
      return route.fulfill({ status: 429, headers: { 'retry-after': '60' }, json: limited });
    });
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByText('Slower, please').waitFor();
    await page.clock.runFor(55_000);
    expect(asked).toBe(1);
    await page.clock.runFor(10_000);
    await until('it was asked again', () => asked === 2);
  });

  it('what callers and providers write is shown, and never run', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const name = `<img src=x onerror="document.title='run'"> ${aName('Markup')}`;
    const id = await inReview(rig, account, name);
    const { page, complaints } = await at('');
    const candidates = [{ remote_id: 'oppo_x', url: 'javascript:document.title="run"', why: '<b>why</b>' }];
    await page.route(`**/jobs/${id}`, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), candidates } });
    });
    await page.goto(`${rig.api.origin}/console#/jobs/${id}`);
    await page.getByText('<b>why</b>').waitFor();
    await page.getByText(name).first().waitFor();
    expect(await page.title()).toBe('Job · Dealwright');
    expect(await page.locator('main img, main td a').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
