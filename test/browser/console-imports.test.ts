import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { closeRows, importsOf, salesforceRows } from '../e2e/import-support.ts';
import { aName, type Target } from '../e2e/rig.ts';
import { agree, changesOf, describeConsole, noFaults, rowOf, said, signIn } from './console-rig.ts';

/** A file as it lies on the reader's disk. */
async function aFile(name: string, content: string | Uint8Array): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dealwright-console-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

/** Fills the form and sends it. */
async function upload(page: Page, account: Target, path: string, { trial = false } = {}): Promise<void> {
  if (!(await page.getByLabel('File').isVisible())) await page.getByText('Import a file').click();
  await page.getByRole('combobox', { name: 'Account' }).selectOption(account.id);
  await page.getByLabel('File').setInputFiles(path);
  await page.getByLabel('Only look at it').setChecked(trial);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** On the page of the import itself. */
const completed = (page: Page) => page.locator('.lead').getByText('completed').waitFor({ timeout: 20_000 });

describeConsole('imports', (get) => {
  it('a file is looked at, imported and followed; rows that failed say why, and results can be taken home', async () => {
    const { rig, at } = get();
    const account = await rig.account('salesforce');
    const name = aName('File');
    const rows = salesforceRows(name, 30, (row) => (row === 7 ? { close_date: 'soon' } : {}));
    const path = await aFile('deals.ndjson', rows);
    const { page, complaints } = await at('#/imports');
    await page.getByText('Import a file').click();
    // Nothing is chosen before somebody chooses.
    expect(await page.getByRole('combobox', { name: 'Account' }).inputValue()).toBe('');
    await upload(page, account, await aFile('deals', rows), { trial: true });
    await page.getByText('deals must end in .csv').waitFor();
    await upload(page, account, path, { trial: true });
    await page.getByText('What was found in deals.ndjson').waitFor();
    await page.getByText('/close_date').waitFor();
    expect(await rig.records(account, name)).toEqual([]);

    await upload(page, account, path);
    await page.getByRole('heading', { name: 'Import', exact: true }).waitFor();
    await completed(page);
    await rowOf(page, '/close_date').getByText('failed').waitFor();
    expect(await rig.records(account, name)).toHaveLength(29);

    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Results as CSV' }).click();
    const text = await readFile(await (await coming).path(), 'utf8');
    expect(text.trim().split(/\r?\n/)).toHaveLength(31);
    const changes = changesOf(page);
    await page.getByRole('button', { name: 'Retry the failed rows' }).click();
    await page.getByRole('alert').waitFor();
    expect(changes).toEqual([expect.stringMatching(/^POST \/imports\/[^/]+\/retry-failed$/)]);
    expect(complaints).toEqual([]);
  });

  it('a packed file is taken; one that is refused says why, however large it is', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const name = aName('Packed');
    const { page } = await at('#/imports');
    await upload(page, account, await aFile('wrong.csv', `nmae\n${'x\n'.repeat(4_000_000)}`));
    await page.getByText('/nmae', { exact: true }).waitFor();
    await upload(page, account, await aFile('deals.ndjson.gz', gzipSync(closeRows(name, 5))));
    await completed(page);
    expect(await rig.records(account, name)).toHaveLength(5);
  });

  it('a file whose answer was lost is the same import when it is sent again, also after the page was left', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const name = aName('Again');
    const path = await aFile('deals.ndjson', closeRows(name, 4));
    const { page } = await at('#/imports');
    await page.route('**/imports?*', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      await route.fetch();
      await route.abort('connectionreset');
    });
    await upload(page, account, path);
    await page.getByText('The API cannot be reached').waitFor();
    await page.unroute('**/imports?*');
    // A refusal in between says nothing of what may have been taken, and who signs out comes back.
    await page.route('**/imports?*', (route) => {
      const limited = { statusCode: 429, code: 'token_rate_limited', message: 'Slower, please.' };
      return route.request().method() === 'POST'
        ? route.fulfill({ status: 429, json: limited })
        : route.continue();
    });
    await upload(page, account, path);
    await page.getByText('Slower, please').waitFor();
    await page.unroute('**/imports?*');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.reload();
    await signIn(page);
    await page.getByRole('link', { name: 'Imports' }).click();
    await upload(page, account, path);
    await said(page, 'It was taken before');
    await completed(page);
    const list = await rig.ask('GET', `/imports?integrated_account_id=${account.id}`);
    expect(list.body.data).toHaveLength(1);
    expect(await rig.records(account, name)).toHaveLength(4);
    // Answered, it is meant once more.
    await page.getByRole('link', { name: 'Imports' }).click();
    await upload(page, account, path);
    await page.getByRole('heading', { name: 'Import', exact: true }).waitFor();
    const twice = await rig.ask('GET', `/imports?integrated_account_id=${account.id}`);
    expect(twice.body.data).toHaveLength(2);
  });

  it('an upload that ends late takes nobody away from where they went; a refusal is told there', async () => {
    const { rig, at } = get();
    const account = await rig.account('close');
    const path = await aFile('deals.ndjson', closeRows(aName('Slow'), 1));
    const wrong = await aFile('wrong.csv', 'nmae\nx\n');
    const { page } = await at('#/imports');
    let release = () => {};
    await page.route('**/imports?*', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      await route.continue();
    });
    for (const [file, status] of [
      [path, 202],
      [wrong, 400],
    ] as const) {
      await page.getByRole('link', { name: 'Imports' }).click();
      const answered = page.waitForResponse((answer) => answer.request().method() === 'POST');
      await upload(page, account, file);
      await page.getByText('One moment').waitFor();
      await page.getByRole('link', { name: 'Jobs' }).click();
      await page.getByRole('heading', { name: 'Jobs' }).waitFor();
      // Whoever closes the tab would cut it off, and is asked.
      const asked = page.waitForEvent('dialog');
      await page.close({ runBeforeUnload: true });
      const dialog = await asked;
      expect(dialog.type()).toBe('beforeunload');
      await dialog.dismiss();
      release();
      expect((await answered).status()).toBe(status);
      await page
        .getByText(`What you began on the page “Imports” ${status === 202 ? 'is done' : 'was refused'}`)
        .waitFor();
      expect(page.url()).toMatch(/#\/jobs$/);
    }
  });

  it('rows that failed are tried again, and are no longer shown as failed', async () => {
    const { rig, at } = get();
    const imports = importsOf(rig);
    const account = await rig.account('close');
    const name = aName('Refused');
    await rig.fault(account, { kind: 'status', status: 403, times: -1 });
    const id = await imports.accepted(account, closeRows(name, 3));
    expect((await imports.ended(id)).counts.failed).toBe(3);
    await noFaults(rig);
    const { page, complaints } = await at(`#/imports/${id}`);
    await page.getByRole('heading', { name: 'Rows that failed' }).waitFor();
    await page.getByRole('button', { name: 'Retry the failed rows' }).click();
    await said(page, 'come again');
    expect((await imports.ended(id)).counts.succeeded).toBe(3);
    await page.getByRole('heading', { name: 'Rows that failed' }).waitFor({ state: 'detached' });
    expect(await rig.records(account, name)).toHaveLength(3);
    expect(complaints).toEqual([]);
  });

  it('an import is paused, resumed and cancelled', async () => {
    const { rig, at } = get();
    const imports = importsOf(rig);
    const account = await rig.account('close', {
      rate_limit: { requests: 5, per_seconds: 1, concurrency: 2 },
    });
    const id = await imports.accepted(account, closeRows(aName('Control'), 200));
    const { page } = await at(`#/imports/${id}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await said(page, 'Paused');
    await page.getByRole('button', { name: 'Resume' }).click();
    await said(page, 'Resumed');
    agree(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await said(page, 'Cancelled');
    expect((await imports.ended(id)).status).toBe('cancelled');
  });
});
