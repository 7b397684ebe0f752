import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { ImportView } from '../../shared/contract/import-view.ts';
import type { ApiClient } from './client.ts';
import type { ImportFormat } from './import-rows.ts';
import { ADMIN_TOKEN } from './processes.ts';

const CONTENT_TYPES: Record<ImportFormat, string> = { csv: 'text/csv', ndjson: 'application/x-ndjson' };
const AUTHORIZATION = { authorization: `Bearer ${ADMIN_TOKEN}` };
const ENDED: readonly string[] = ['completed', 'cancelled', 'failed'];

export type Upload = { file: string; format: ImportFormat; account: string; query?: string };

/** Sends a file as an import. @returns its id, and how long it took from the first byte to the 202. */
export async function uploadImport(origin: string, upload: Upload): Promise<{ id: string; tookMs: number }> {
  const startedMs = performance.now();
  const answer = await request(
    `${origin}/imports?integrated_account_id=${upload.account}${upload.query ?? ''}`,
    {
      method: 'POST',
      headers: { ...AUTHORIZATION, 'content-type': CONTENT_TYPES[upload.format] },
      body: createReadStream(upload.file, { highWaterMark: 262_144 }),
    },
  );
  const text = await answer.body.text();
  if (answer.statusCode !== 202) throw new Error(`POST /imports: ${answer.statusCode} ${text}`);
  return { id: String(JSON.parse(text).id), tookMs: performance.now() - startedMs };
}

/** Asks until the import has ended; `meanwhile` runs at every look. */
export async function untilEnded(
  client: ApiClient,
  id: string,
  options: { withinMs: number; everyMs?: number; meanwhile?: () => void },
): Promise<ImportView> {
  const untilMs = Date.now() + options.withinMs;
  for (;;) {
    const view = await client.call<ImportView>('GET', `/imports/${id}`);
    options.meanwhile?.();
    if (ENDED.includes(view.status)) return view;
    if (Date.now() > untilMs) throw new Error(`the import has not ended: ${JSON.stringify(view.counts)}`);
    await sleep(options.everyMs ?? 250);
  }
}

export type ResultsFigures = {
  rows: number;
  by_status: Record<string, number>;
  /** Remote ids that stand in more than one row. */
  repeated_ids: number;
  tookMs: number;
};

/** Reads the results file to its end, as a client would, and counts what it says. */
export async function readResultsFile(origin: string, id: string): Promise<ResultsFigures> {
  const startedMs = performance.now();
  const answer = await request(`${origin}/imports/${id}/results?format=ndjson`, { headers: AUTHORIZATION });
  if (answer.statusCode !== 200) throw new Error(`results: ${answer.statusCode} ${await answer.body.text()}`);
  const by_status: Record<string, number> = {};
  const ids = new Set<string>();
  let rows = 0;
  let withId = 0;
  for await (const line of createInterface({ input: answer.body })) {
    // What a line holds is in the OpenAPI document.
    const row = JSON.parse(line) as { status: string; remote_id: string | null };
    rows += 1;
    by_status[row.status] = (by_status[row.status] ?? 0) + 1;
    if (row.remote_id === null) continue;
    withId += 1;
    ids.add(row.remote_id);
  }
  return { rows, by_status, repeated_ids: withId - ids.size, tookMs: performance.now() - startedMs };
}
