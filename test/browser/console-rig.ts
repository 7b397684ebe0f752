import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { TEST_ADMIN_TOKEN } from '../support/processes.ts';

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

export const startBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: ARGS });

export type Opened = {
  page: Page;
  /** What the browser complained of, and where else than to `origin` it was sent. */
  complaints: string[];
};

/** The console in a session of its own. */
export async function openConsole(browser: Browser, origin: string, path = ''): Promise<Opened> {
  const context = await browser.newContext({ acceptDownloads: true });
  onTestFinished(() => context.close());
  const page = await context.newPage();
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
