import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { type Rig, startRig, type Target } from '../e2e/rig.ts';
import { findChromium } from '../support/chromium.ts';
import { TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';

/** Root may not use Chromium's own sandbox; nothing but our pages is opened, and nothing but them may be asked for. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export type Opened = {
  page: Page;
  /** What the browser complained of, and where else than to the API it was sent. */
  complaints: string[];
};

/** The console in a session of its own. */
async function openConsole(browser: Browser, origin: string, path: string): Promise<Opened> {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  onTestFinished(async () => {
    // A poll may be on its way through a handler of the test when it ends.
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.close();
  });
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('pageerror', (err) => complaints.push(String(err)));
  page.on('console', (message) => {
    // A refusal of the API is news for the reader, and a line in the browser's console by itself.
    const isRefusal = message.text().startsWith('Failed to load resource: the server responded');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const isOurs = new URL(request.url()).origin === origin || /^(data|blob):/.test(request.url());
    if (!isOurs) complaints.push(`asked ${request.url()}`);
  });
  await page.goto(`${origin}/console${path}`);
  return { page, complaints };
}

export async function signIn(page: Page, token = TEST_ADMIN_TOKEN, workspace = ''): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByLabel('Workspace').fill(workspace);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export const agree = (page: Page) => page.on('dialog', (dialog) => dialog.accept());
export const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });
export const said = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor();

/** Requests that change something, as `POST /jobs/ID/retry`. */
export function changesOf(page: Page): string[] {
  const changes: string[] = [];
  page.on('request', (request) => {
    const method = request.method();
    if (method !== 'GET') changes.push(`${method} ${new URL(request.url()).pathname}`);
  });
  return changes;
}

export type ConsoleRig = Awaited<ReturnType<typeof start>>;

async function start(executablePath: string) {
  const [rig, browser] = await Promise.all([
    startRig(testRedisUrl()),
    chromium.launch({ executablePath, args: ARGS }),
  ]);
  const worker = await rig.workerForAll();
  return {
    rig,
    /** At a place like `#/jobs`, nobody signed in. */
    open: (path = '') => openConsole(browser, rig.api.origin, path),
    /** At a place like `#/jobs`, signed in as admin. */
    async at(path: string): Promise<Opened> {
      const opened = await openConsole(browser, rig.api.origin, path);
      await signIn(opened.page);
      await opened.page.getByRole('button', { name: 'Sign out' }).waitFor();
      return opened;
    },
    async close() {
      await browser.close();
      await worker.kill();
      await rig.close();
    },
  };
}

/** Tests of the console in a Chromium; where there is none they say so. */
export function describeConsole(what: string, tests: (get: () => ConsoleRig) => void): void {
  vi.setConfig({ testTimeout: 60_000 });
  const executable = findChromium();
  const missing = executable ? '' : ' (no Chromium on PATH or in CHROMIUM_PATH: not run)';
  if (missing) console.log(`the console, ${what}${missing}`);
  describe.skipIf(missing !== '')(`the console, ${what}${missing}`, () => {
    let console: ConsoleRig;
    beforeAll(async () => {
      console = await start(executable ?? '');
    });
    afterAll(() => console?.close());
    tests(() => console);
  });
}

/** Close's look-ups of a lost create. */
const LOOKS = { method: 'GET', path: '/event/' };

/** While `lose` runs, `times` creates of the account lose their answer, and the provider cannot be asked for them. */
export async function whileLost(rig: Rig, account: Target, times: number, lose: () => Promise<void>) {
  await rig.fault(account, { kind: 'reset_after_commit', times });
  const refused = { provider: 'close', kind: 'status', status: 403, times: -1, match: LOOKS };
  await rig.control('faults', refused);
  await lose();
  await noFaults(rig);
}

export async function noFaults(rig: Rig): Promise<void> {
  const answer = await fetch(`${rig.sandbox.origin}/_control/faults?provider=close`, { method: 'DELETE' });
  expect(answer.ok).toBe(true);
}

/** A create whose answer was lost, and for which the provider cannot be asked. */
export async function inReview(rig: Rig, account: Target, name: string): Promise<string> {
  let id = '';
  await whileLost(rig, account, 1, async () => {
    id = String((await rig.create(account, name)).body.id);
    expect((await rig.ended(id)).status).toBe('needs_review');
  });
  return id;
}
