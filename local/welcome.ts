import type { DemoAccount } from './demo-accounts.ts';

export type Welcome = {
  api: string;
  sandbox: string;
  /** Pages of the API that a browser can open. */
  pages: string[];
  redis: string;
  logs: string;
  adminToken: string;
  accounts: DemoAccount[];
};

/** Those of the API's pages that this build has. */
export async function findPages(api: string): Promise<string[]> {
  const answers = await Promise.all(
    ['/console', '/docs', '/openapi.json'].map(async (path) => {
      const response = await fetch(`${api}${path}`, { signal: AbortSignal.timeout(5_000) });
      await response.arrayBuffer();
      return response.ok ? [`${api}${path}`] : [];
    }),
  );
  return answers.flat();
}

/** One line that works when pasted into a shell. */
export function curlFor(api: string, adminToken: string, account: DemoAccount): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    'curl -sS',
    quoted(`${api}/unified/crm/opportunities?integrated_account_id=${account.id}`),
    `-H ${quoted(`Authorization: Bearer ${adminToken}`)}`,
    `-H ${quoted('Content-Type: application/json')}`,
    `-H ${quoted('Prefer: wait=10')}`,
    `-d ${quoted(JSON.stringify(account.example))}`,
  ].join(' ');
}

export function printWelcome(of: Welcome): void {
  const rows: [label: string, value: string][] = [
    ['API', of.api],
    ...of.pages.map((page): [string, string] => ['', page]),
    ['Sandbox', `${of.sandbox}  (imitates Salesforce, Close and Capsule)`],
    ['Redis', of.redis],
    ['Logs', of.logs],
    ['Admin token', of.adminToken],
  ];
  console.log('\nDealwright is running.\n');
  for (const [label, value] of rows) console.log(`  ${label.padEnd(13)}${value}`);
  console.log('\nWrite an opportunity to a demo account:');
  for (const account of of.accounts) {
    console.log(`\n# ${account.name}\n${curlFor(of.api, of.adminToken, account)}`);
  }
  console.log('\nCtrl-C stops everything.');
}
