import type { JsforceDone, JsforceTask } from '../floors/jsforce-import.ts';
import { round } from './figures.ts';
import { forkTask } from './fork-task.ts';
import type { ImportFormat } from './import-rows.ts';
import { readResultsFile, untilEnded, uploadImport } from './imports.ts';
import { accessTokenOf, KEY_FIELD, meteredCalls } from './salesforce.ts';
import type { BenchSandbox } from './sandbox.ts';
import type { BenchSystem } from './system.ts';

export const LATENCY_MS = 20;
export const WORK_WITHIN_MS = 3_600_000;

export type Rig = { system: BenchSystem; sandbox: BenchSandbox; account: string };
export type Source = { file: string; format: ImportFormat; rows: number };
type Arm = (sandbox: BenchSandbox) => Promise<void>;

export type Ours = {
  per_second: number;
  calls: number;
  results: { rows: number; by_status: Record<string, number>; repeated_ids: number };
  records: number;
};
export type Theirs = {
  per_second: number;
  calls: number;
  said_succeeded: number;
  said_failed: number;
  /** Rows said to have failed whose record is there. */
  failed_but_written: number;
  missing: number;
  records: number;
};

export const isComplete = ({ results, records }: Ours, rows: number) =>
  results.rows === rows &&
  results.by_status.succeeded === rows &&
  results.repeated_ids === 0 &&
  records === rows;

/** An organisation without the records of the round before, whose calls take 20 ms. */
export async function resetSandbox(sandbox: BenchSandbox, arm?: Arm): Promise<void> {
  await sandbox.control('POST', '/reset', { provider: 'salesforce' });
  const limits = { provider: 'salesforce', latency_ms: LATENCY_MS, daily_limit: 10_000_000 };
  await sandbox.control('POST', '/limits', limits);
  await arm?.(sandbox);
}

/** A lock for one row of twenty, whatever call it is in; one batch of a hundred loses its answer, half of them written. */
export async function armFaults(sandbox: BenchSandbox): Promise<void> {
  const fault = { provider: 'salesforce', times: -1 };
  const batches = { path: '/composite/sobjects/Opportunity' };
  for (const [seed, kind] of ['reset_after_commit', 'reset_before_commit'].entries())
    await sandbox.control('POST', '/faults', { ...fault, kind, probability: 0.005, seed, match: batches });
  const match = { method: 'PATCH', path: '/sobjects/Opportunity/' };
  await sandbox.control('POST', '/faults', { ...fault, kind: 'lock_row', row_rate: 0.05, seed: 2, match });
}

export async function ours(
  { system, sandbox, account }: Rig,
  source: Source,
  { arm, strategy = 'collections' }: { arm?: Arm; strategy?: 'collections' | 'bulk' } = {},
): Promise<Ours> {
  const { client, api } = system;
  await resetSandbox(sandbox, arm);
  const startedMs = performance.now();
  const upload = { ...source, account, query: `&strategy=${strategy}` };
  const { id } = await uploadImport(api.origin, upload);
  const { counts } = await untilEnded(client, id, { withinMs: WORK_WITHIN_MS, everyMs: 100 });
  const tookMs = performance.now() - startedMs;
  const { total } = await meteredCalls(sandbox);
  const { rows, by_status, repeated_ids } = await readResultsFile(api.origin, id);
  const records = await countRecords(sandbox);
  await client.call('DELETE', `/imports/${id}`);
  return {
    per_second: round((counts.total * 1_000) / tookMs, 0),
    calls: total,
    results: { rows, by_status, repeated_ids },
    records,
  };
}

export async function theirs(
  sandbox: BenchSandbox,
  source: Source,
  { arm, atOnce = 1 }: { arm?: Arm; atOnce?: number } = {},
): Promise<Theirs> {
  await resetSandbox(sandbox, arm);
  const task: JsforceTask = {
    instanceUrl: `${sandbox.origin}/salesforce`,
    accessToken: accessTokenOf('jsforce'),
    file: source.file,
    ...{ keyField: KEY_FIELD, label: 'jsforce', atOnce },
  };
  const done = await forkTask<JsforceDone>('floors/jsforce-import.ts', task);
  const names = new Set(await namesOf(sandbox));
  const failedButWritten = done.failedNames.filter((name) => names.has(name)).length;
  return {
    per_second: round((source.rows * 1_000) / done.tookMs, 0),
    calls: done.calls,
    said_succeeded: done.succeeded,
    said_failed: done.failedNames.length,
    failed_but_written: failedButWritten,
    missing: source.rows - names.size,
    records: await countRecords(sandbox),
  };
}

const countRecords = async (sandbox: BenchSandbox): Promise<number> =>
  (await sandbox.control<{ count: number }>('GET', '/records?provider=salesforce&count_only=true')).count;

async function namesOf(sandbox: BenchSandbox): Promise<string[]> {
  const { records } = await sandbox.control<{ records: { Name: string }[] }>(
    'GET',
    '/records?provider=salesforce',
  );
  return records.map(({ Name }) => Name);
}
