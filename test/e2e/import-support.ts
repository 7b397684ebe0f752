import { gzipSync } from 'node:zlib';
import type { ImportView } from '../../shared/contract/import-view.ts';
import { TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { until } from '../support/until.ts';
import type { Answer, Rig, Target } from './rig.ts';

export type ResultLine = {
  row: number;
  line: number;
  status: string;
  remote_id: string | null;
  code: string | null;
  message: string | null;
  pointer: string | null;
} & Record<string, unknown>;

export type Upload = {
  query?: string;
  type?: string;
  headers?: Record<string, string>;
  gzip?: boolean;
  at?: { origin: string };
};

/** What tests do with imports, on top of a rig. */
export function importsOf(rig: Rig) {
  async function upload(account: Target, text: string, more: Upload = {}): Promise<Answer> {
    const { query = '', type = 'application/x-ndjson', headers = {}, gzip, at = rig.api } = more;
    const answer = await fetch(`${at.origin}/imports?integrated_account_id=${account.id}${query}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
        'content-type': type,
        ...(gzip ? { 'content-encoding': 'gzip' } : {}),
        ...headers,
      },
      body: gzip ? gzipSync(text) : text,
      signal: AbortSignal.timeout(30_000),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
  }

  async function accepted(account: Target, text: string, more?: Upload): Promise<string> {
    const { status, body } = await upload(account, text, more);
    if (status !== 202) throw new Error(`${status} ${JSON.stringify(body)}`);
    return String(body.id);
  }

  // The shape is what the OpenAPI document says of an import.
  const read = async (id: string) => (await rig.ask('GET', `/imports/${id}`)).body as unknown as ImportView;

  async function reached(
    id: string,
    what: string,
    isThere: (view: ImportView) => boolean,
  ): Promise<ImportView> {
    const last = { view: undefined as ImportView | undefined };
    await until(
      `import ${id} ${what}`,
      async () => {
        last.view = await read(id);
        return isThere(last.view);
      },
      { withinMs: 30_000, everyMs: 50 },
    ).catch((cause) => {
      throw new Error(`import ${id} is not ${what}: ${JSON.stringify(last.view)}`, { cause });
    });
    return last.view as ImportView;
  }

  return {
    upload,
    accepted,
    read,
    reached,
    ended: (id: string) =>
      reached(id, 'ended', ({ status }) => ['completed', 'cancelled', 'failed'].includes(status)),

    async results(id: string, query = ''): Promise<ResultLine[]> {
      const answer = await fetch(`${rig.api.origin}/imports/${id}/results?${query}`, {
        headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}` },
      });
      if (!answer.ok) throw new Error(await answer.text());
      const text = await answer.text();
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },

    act: (id: string, verb: string) => rig.ask('POST', `/imports/${id}/${verb}`),
  };
}

/** Rows for Close, as NDJSON; `more` of the row with this number. */
export function closeRows(name: string, count: number, more: (row: number) => object = () => ({})): string {
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      name: `${name} #${i + 1}#`,
      account: { id: 'lead_Northwind' },
      owner: { id: 'user_Ann' },
      ...more(i + 1),
    }),
  ).join('\n');
}

/** Salesforce's, likewise. */
export function salesforceRows(
  name: string,
  count: number,
  more: (row: number) => object = () => ({}),
): string {
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      name: `${name} #${i + 1}#`,
      stage: { name: 'Prospecting' },
      close_date: '2027-03-31',
      ...more(i + 1),
    }),
  ).join('\n');
}
