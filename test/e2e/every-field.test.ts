import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSandbox } from '../../sandbox/core/server.ts';
import { startSandbox } from '../../sandbox/core/start.ts';
import { type RunningProcess, startApi, startWorker, TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl, uniquePrefix } from '../support/redis.ts';
import { EVERY_FIELD, type EveryField } from './every-field-requests.ts';

/**
 * One request per provider with every field of the unified model, as an unchanged client of the unified API sends it:
 * no `Prefer`, no `Idempotency-Key`, only `DEFAULT_WAIT_SECONDS` on our side. What comes of it is a page in
 * docs/providers/, made here: `WRITE_DOCS=1` writes the pages, otherwise they must say what happened.
 */
let processes: RunningProcess[] = [];
let api: RunningProcess;
let sandbox: RunningSandbox;

beforeAll(async () => {
  const installation = {
    redisUrl: testRedisUrl(),
    prefix: uniquePrefix(),
    env: { DEFAULT_WAIT_SECONDS: '10' },
  };
  // Not a process of its own, whose ids go on from run to run.
  sandbox = await startSandbox({ port: 0, host: '127.0.0.1' });
  processes = await Promise.all([startApi(installation), startWorker(installation)]);
  [api] = processes as [RunningProcess, RunningProcess];
});
afterAll(async () => {
  await Promise.all(processes.map((process) => process.stop()));
  await sandbox.close();
});

async function call(
  method: string,
  url: string,
  body?: unknown,
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined };
}

async function connect(request: EveryField): Promise<string> {
  const { status, body } = await call('POST', `${api.origin}/integrated-accounts`, {
    provider: request.provider,
    name: `every field of ${request.provider}`,
    credentials: request.credentials(sandbox.origin),
    settings: request.settings,
  });
  expect(status, JSON.stringify(body)).toBe(201);
  // The contract of POST /integrated-accounts.
  return (body as { id: string }).id;
}

/** Ids and times that differ from run to run, replaced so that a page changes only when the product does. */
function steady(value: unknown, names: Record<string, string>): unknown {
  let text = JSON.stringify(value, null, 2);
  for (const [id, name] of Object.entries(names)) text = text.replaceAll(id, name);
  const today = new Date().toISOString().slice(0, 10);
  return JSON.parse(
    text
      .replaceAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"/g, (found) =>
        found.includes(today) ? '"(now)"' : found,
      )
      .replaceAll(`"${today}"`, '"(today)"')
      .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://sandbox'),
  );
}

const json = (value: unknown) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;

describe.each(EVERY_FIELD)('$provider', (request) => {
  it('stores every field and answers it in all three formats', async () => {
    const account = await connect(request);
    const url = (format: string) =>
      `${api.origin}/unified/crm/opportunities?integrated_account_id=${account}&truto_response_format=${format}`;
    const unified = await call('POST', url('unified'), request.body);
    expect(unified.status, JSON.stringify(unified.body)).toBe(201);
    expect(unified.body).toMatchObject(request.expected);
    const raw = await call('POST', url('raw'), request.body);
    const normalized = await call('POST', url('normalized'), request.body);
    expect([raw.status, normalized.status]).toEqual([201, 201]);
    expect(normalized.body).not.toHaveProperty('remote_data');

    const jobId = unified.headers.get('x-job-id') ?? '';
    const job = await call('GET', `${api.origin}/jobs/${jobId}`);
    const { warnings } = job.body as { warnings: unknown[] };
    const records = await call('GET', `${sandbox.origin}/_control/records?provider=${request.provider}`);
    const [stored] = (records.body as { records: unknown[] }).records;
    const names = { [jobId]: '(job id)', [account]: '(account id)' };
    for (const other of [raw, normalized]) names[other.headers.get('x-job-id') ?? ''] = '(job id)';

    const page = pageOf(request, {
      warnings: steady(warnings, names),
      stored: steady(stored, names),
      unified: steady(unified.body, names),
      raw: steady(raw.body, names),
      normalized: steady(normalized.body, names),
    });
    const file = new URL(`../../docs/providers/${request.provider}.md`, import.meta.url);
    if (process.env.WRITE_DOCS) writeFileSync(file, page);
    expect(page, 'run the suite with WRITE_DOCS=1 if this change is meant').toBe(readFileSync(file, 'utf8'));
  });
});

type Shown = Record<'warnings' | 'stored' | 'unified' | 'raw' | 'normalized', unknown>;

function pageOf(request: EveryField, shown: Shown): string {
  return `# ${request.label}: every field of the unified model

<!-- Made by test/e2e/every-field.test.ts from a real run against the sandbox. -->

${request.introduction}

## The request

\`POST /unified/crm/opportunities?integrated_account_id=…\`

${json(request.body)}

## Warnings on its job

${json(shown.warnings)}

## What the CRM stored

${json(shown.stored)}

## The answer, \`truto_response_format=unified\`

${json(shown.unified)}

## The answer, \`truto_response_format=raw\`

${json(shown.raw)}

## The answer, \`truto_response_format=normalized\`

${json(shown.normalized)}
`;
}
