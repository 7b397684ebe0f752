import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { TEST_ADMIN_TOKEN } from '../test/support/processes.ts';
import type { PlannedImport } from './import-plan.ts';

const AUTHORIZATION = { authorization: `Bearer ${TEST_ADMIN_TOKEN}` };
const PIECES = 25;
const ANSWER_WITHIN_MS = 20_000;
const ENDED = ['completed', 'cancelled', 'failed'];

export type Uploaded = { planned: PlannedImport; id?: string; refused?: string; tries: number };

/**
 * Sends an import slowly, and again with its key after a 5xx, a 409 or a broken connection, until an answer names it.
 * @param origin where an API process listens now; the processes come and go.
 */
export async function upload(
  planned: PlannedImport,
  origin: () => string,
  count: (what: string) => void,
  untilMs: number,
): Promise<Uploaded> {
  for (let tries = 1; ; tries++) {
    try {
      const query = `integrated_account_id=${planned.account.id}&strategy=${planned.strategy}`;
      const answer = await request(`${origin()}/imports?${query}`, {
        method: 'POST',
        headers: {
          ...AUTHORIZATION,
          'content-type': planned.format === 'csv' ? 'text/csv' : 'application/x-ndjson',
          'idempotency-key': planned.key,
        },
        body: Readable.from(slowly(planned)),
        headersTimeout: ANSWER_WITHIN_MS,
      });
      const text = await answer.body.text();
      count(String(answer.statusCode));
      if (answer.statusCode === 202) return { planned, id: String(JSON.parse(text).id), tries };
      if (answer.statusCode < 500 && answer.statusCode !== 409 && answer.statusCode !== 429)
        return { planned, refused: `${answer.statusCode} ${text}`, tries };
    } catch {
      count('no answer');
    }
    if (Date.now() > untilMs) return { planned, refused: 'no answer that names an import in time', tries };
    await sleep(500);
  }
}

async function* slowly({ text, uploadMs }: PlannedImport): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / PIECES);
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
    await sleep(uploadMs / PIECES);
  }
}

export type Told = {
  status: string;
  counts: Record<string, number>;
  rows: {
    row: number;
    status: string;
    remote_id: string | null;
    code: string | null;
    message: string | null;
  }[];
};

/** The import and its results file once it has ended; undefined when it does not in time. */
export async function readEnded(
  id: string,
  origin: () => string,
  untilMs: number,
): Promise<Told | undefined> {
  while (Date.now() < untilMs) {
    const view = await read(`${origin()}/imports/${id}`);
    // The shape is what the OpenAPI document says of an import.
    const { status, counts } = (view ? JSON.parse(view) : {}) as Partial<Told>;
    if (status !== undefined && counts !== undefined && ENDED.includes(status)) {
      const results = await read(`${origin()}/imports/${id}/results?format=ndjson`);
      if (results !== undefined) {
        const rows = results.split('\n').filter(Boolean);
        return { status, counts, rows: rows.map((line) => JSON.parse(line)) };
      }
    }
    await sleep(500);
  }
  return undefined;
}

async function read(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, {
      headers: AUTHORIZATION,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const text = await answer.text();
    return answer.ok ? text : undefined;
  } catch {
    return undefined;
  }
}
