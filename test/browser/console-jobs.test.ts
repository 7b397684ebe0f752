import { expect, it } from 'vitest';
import { closeRows, importsOf } from '../e2e/import-support.ts';
import { aName } from '../e2e/rig.ts';
import { until } from '../support/until.ts';
import { agree, changesOf, describeConsole, inReview, rowOf, said, whileLost } from './console-rig.ts';

const LEAD = { account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } };

describeConsole('jobs', (get) => {
  it('a doubt is ended by a person: the record that was found is taken over', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const name = aName('Doubt');
    const id = await inReview(rig, account, name);
    const [record] = (await rig.records(account, name)) as { id: string }[];
    const { page, complaints } = await at('');
    agree(page);
    await page.getByRole('link', { name }).click();
    await page.getByRole('heading', { name: 'Was it written?' }).waitFor();
    await page.getByLabel('It is the record').fill(String(record?.id));
    await page.getByRole('button', { name: 'Take it over' }).click();
    await said(page, `Taken over: ${record?.id}`);
    await page.getByText('succeeded').first().waitFor();
    expect((await rig.job(id)).result?.id).toBe(record?.id);
    expect(await rig.records(account, name)).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  it('a candidate is taken over by its own button, also when another comes above it', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const name = aName('Candidate');
    const id = await inReview(rig, account, name);
    const [record] = (await rig.records(account, name)) as { id: string }[];
    const right = { remote_id: String(record?.id), url: 'https://app.close.com/', why: 'same name' };
    const candidates = [right];
    const { page } = await at('#/jobs');
    await page.route(`**/jobs/${id}`, async (route) => {
      const answer = await route.fetch();
      const job = await answer.json();
      await route.fulfill({ json: job.status === 'needs_review' ? { ...job, candidates } : job });
    });
    await page.goto(`${rig.api.origin}/console#/jobs/${id}`);
    await page.getByRole('button', { name: `Take over ${right.remote_id}` }).focus();
    candidates.unshift({ ...right, remote_id: 'oppo_other' });
    await page.getByRole('button', { name: 'Take over oppo_other' }).waitFor();
    page.once('dialog', (dialog) => {
      expect(dialog.message()).toContain(right.remote_id);
      dialog.accept();
    });
    await page.keyboard.press('Enter');
    await said(page, `Taken over: ${right.remote_id}`);
    expect((await rig.job(id)).result?.id).toBe(right.remote_id);
  });

  it('a doubt is ended by a person: what is not there is written, after a second question', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const name = aName('Unwritten');
    const id = await inReview(rig, account, name);
    const { page } = await at(`#/jobs/${id}`);
    const write = page.getByRole('button', { name: 'It is not there: write it' });
    const changes = changesOf(page);
    page.once('dialog', (dialog) => dialog.dismiss());
    await write.click();
    agree(page);
    await write.click();
    await said(page, 'Queued again');
    expect(changes).toEqual([`POST /jobs/${id}/resolve`]);
    expect((await rig.ended(id)).status).toBe('succeeded');
    // One of them was lost on the way back, and its person said that it was not there.
    expect(await rig.records(account, name)).toHaveLength(2);
  });

  it('a row of an import that is in doubt is found from the first page, and decided', async () => {
    const { rig, at } = get();
    const imports = importsOf(rig);
    const account = await rig.account('close', {
      rate_limit: { requests: 2_000, per_seconds: 1, concurrency: 50 },
    });
    const name = aName('Row');
    let id = '';
    await whileLost(rig, account, 1, async () => {
      // More rows than are looked through for one page, and the doubtful one is among the first.
      id = await imports.accepted(account, closeRows(name, 2_100));
      expect((await imports.ended(id)).counts).toMatchObject({ succeeded: 2_099, needs_review: 1 });
    });
    const [doubt] = await imports.results(id, 'status=needs_review');
    expect(doubt?.row).toBeLessThan(100);
    const records = (await rig.records(account, `${name} #${doubt?.row}#`)) as { id: string }[];
    expect(records).toHaveLength(1);
    const [record] = records;
    const { page, complaints } = await at('');
    agree(page);
    await page.locator(`a[href="#/jobs?import_id=${id}&status=needs_review"]`).click();
    await page.getByRole('link', { name: `${name} #${doubt?.row}#` }).click();
    await page.getByText('A row of its import').waitFor();
    await page.getByLabel('It is the record').fill(String(record?.id));
    await page.getByRole('button', { name: 'Take it over' }).click();
    await imports.reached(id, 'decided', ({ counts }) => counts.succeeded === 2_100);
    expect(complaints).toEqual([]);
  });

  it('a failed job is corrected and tried again; what is wrong with the correction is said by field', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const name = aName('Wrong');
    const path = `/unified/crm/opportunities?integrated_account_id=${account.id}`;
    const { body } = await rig.ask('POST', path, { ...LEAD, name, account: { id: 'lead_Nobody' } });
    const id = String(body.id);
    expect((await rig.ended(id)).status).toBe('failed');
    const { page, complaints } = await at('');
    await page.getByRole('link', { name }).click();
    await page.getByText('Correct it first').click();
    const text = page.getByRole('textbox', { name: 'Body' });
    const retry = page.getByRole('button', { name: 'Retry with this body' });
    for (const [wrong, why] of [
      ['{', 'The body must be JSON'],
      ['[1]', 'The body must be a JSON object'],
    ] as const) {
      await text.fill(wrong);
      await retry.click();
      await page.getByText(why).waitFor();
    }
    await text.fill(JSON.stringify({ name, amount: 'much' }));
    await retry.click();
    await page.getByText('/body/amount', { exact: true }).waitFor();
    await text.fill(JSON.stringify({ name, ...LEAD }));
    await retry.click();
    await said(page, 'Queued again, corrected');
    expect((await rig.ended(id)).status).toBe('succeeded');
    await page.getByText('Result', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('what has not begun is cancelled, and tried again as it is, once however often it is pressed', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    await rig.ask('POST', `/integrated-accounts/${account.id}/pause`);
    const id = String((await rig.create(account, aName('Held'))).body.id);
    const { page } = await at(`#/jobs/${id}`);
    const changes = changesOf(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await said(page, 'Cancelled');
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/retry', async (route) => {
      await held;
      await route.continue();
    });
    const retry = page.getByRole('button', { name: 'Retry as it is' });
    await retry.dblclick();
    await page.getByText('One moment').waitFor();
    await retry.click();
    release();
    await said(page, 'Queued again');
    expect(changes).toEqual([`POST /jobs/${id}/cancel`, `POST /jobs/${id}/retry`]);
    await rig.ask('POST', `/integrated-accounts/${account.id}/resume`);
    expect((await rig.ended(id)).status).toBe('succeeded');
  });

  it('calls that are missing after a create are repeated by its own route', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const id = String((await rig.create(account, aName('Followed'))).body.id);
    await rig.ended(id);
    const { page } = await at('#/jobs');
    await page.route(`**/jobs/${id}`, async (route) => {
      const answer = await route.fetch();
      const warnings = [{ code: 'follow_up_failed', message: 'A contact is missing.' }];
      await route.fulfill({ json: { ...(await answer.json()), warnings } });
    });
    await page.goto(`${rig.api.origin}/console#/jobs/${id}`);
    const asked = page.waitForResponse(`**/jobs/${id}/retry-follow-ups`);
    await page.getByRole('button', { name: 'Repeat what is missing' }).click();
    // Nothing is missing in truth, and the API says so.
    expect((await asked).status()).toBe(409);
    await page.getByRole('alert').waitFor();
  });

  it('an answer that comes late does not put what was before in place of what is', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    await rig.ask('POST', `/integrated-accounts/${account.id}/pause`);
    const id = String((await rig.create(account, aName('Late'))).body.id);
    const { page } = await at(`#/jobs/${id}`);
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isFirst = true;
    const poll = page.waitForRequest(`**/jobs/${id}`);
    await page.route(`**/jobs/${id}`, async (route) => {
      const isHeld = isFirst;
      isFirst = false;
      const answer = await route.fetch();
      if (isHeld) await held;
      await route.fulfill({ response: answer });
    });
    const late = await poll;
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('.lead').getByText('cancelled').waitFor();
    release();
    await (await late.response())?.finished();
    await page.evaluate('new Promise(requestAnimationFrame)');
    expect(await page.locator('.lead').innerText()).toContain('cancelled');
  });

  it('jobs are found by status, account and key, a page at a time', async () => {
    const { rig, at } = get();
    const account = await rig.account('close', {
      rate_limit: { requests: 500, per_seconds: 1, concurrency: 16 },
    });
    const names = Array.from({ length: 53 }, (_, i) => aName(`Listed ${i}`));
    await Promise.all(names.map((name) => rig.create(account, name, `key ${name}`)));
    const { page } = await at('#/jobs');
    const shown = (count: number) =>
      until(`${count} are shown`, async () => (await page.locator('tbody tr').count()) === count);
    await page.getByRole('combobox', { name: 'Account' }).selectOption(account.id);
    await page.getByRole('combobox', { name: 'Status' }).selectOption('succeeded');
    await page.getByRole('button', { name: 'Show' }).click();
    await shown(50);
    await page.getByRole('link', { name: 'Older' }).click();
    await shown(3);
    await page.getByRole('link', { name: 'Newest' }).click();
    await shown(50);
    await page.getByLabel('Idempotency key').fill(`key ${names[1]}`);
    await page.getByRole('button', { name: 'Show' }).click();
    await shown(1);
    await rowOf(page, String(names[1])).waitFor();
  });
});
