import { join } from 'node:path';
import type { JsforceDone, JsforceTask } from './floors/jsforce-import.ts';
import { measureCreates } from './support/creates.ts';
import { type Bench, compareRounds, median, round } from './support/figures.ts';
import { forkTask } from './support/fork-task.ts';
import { type ImportFormat, writeRows } from './support/import-rows.ts';
import { readResultsFile, untilEnded, uploadImport } from './support/imports.ts';
import { accessTokenOf, connectSalesforce, KEY_FIELD, meteredCalls } from './support/salesforce.ts';
import type { BenchSandbox } from './support/sandbox.ts';
import { type BenchSystem, startSystem } from './support/system.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const LATENCY_MS = 20;
const ROWS_PER_CALL = 200;
/** Besides one call for 200 rows: reading what the organisation looks like. */
const MORE_CALLS_MAX = 5;
const RATIO_MIN = 1;
const WORK_WITHIN_MS = 3_600_000;

type Rig = { system: BenchSystem; sandbox: BenchSandbox; account: string };

/**
 * 100,000 rows into Salesforce at 20 ms a call, 200 rows a call, as NDJSON and as CSV: calls that Salesforce would count, what
 * became of every row, and rows a second from the first byte of the upload to the end of the import. Then the same with 5 %
 * of the rows meeting a lock and 1 % of the answers lost. Control: the unmodified jsforce, by its own collections upsert. Last,
 * how long a single create takes while such an import runs, of its account and of another one; control: without the import.
 *
 * Target: at most 505 calls, every row accounted for, as many rows a second as jsforce; with faults complete, too.
 */
export const importRows: Bench = async ({ quick }) => {
  const rows = quick ? 6_000 : 100_000;
  await using directory = await temporaryDirectory();
  await using system = await startSystem({ prefix: 'import' });
  const [sandbox] = system.sandboxes;
  if (!sandbox) throw new Error('there is no sandbox');
  const { id } = await connectSalesforce(system.client, { label: 'own', origin: sandbox.origin });
  const rig: Rig = { system, sandbox, account: id };
  const source = async (name: string, format: ImportFormat): Promise<Source> => {
    const file = join(directory.path, `${name}.${format}`);
    await writeRows(file, format, { label: name, count: rows });
    return { file, format, rows };
  };
  const ndjson = await source('Json', 'ndjson');
  const csv = await source('Cells', 'csv');
  await ours(rig, { ...ndjson, file: await warmFile(directory.path) });

  const plain: { ours: Ours[]; theirs: Theirs[] } = { ours: [], theirs: [] };
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    plain.theirs.push(await theirs(sandbox, ndjson));
    plain.ours.push(await ours(rig, ndjson));
  }
  const asCsv = await ours(rig, csv);
  const faulty = {
    theirs: await theirs(sandbox, ndjson, armFaults),
    ours: await ours(rig, ndjson, armFaults),
  };
  const latency = await measureBeside(rig, ndjson);

  const rates = {
    ours: plain.ours.map((one) => one.per_second),
    theirs: plain.theirs.map((one) => one.per_second),
  };
  const callsMax = rows / ROWS_PER_CALL + MORE_CALLS_MAX;
  const all = [...plain.ours, asCsv];
  return {
    rows,
    latency_ms: LATENCY_MS,
    ndjson: { ours: plain.ours, jsforce: plain.theirs },
    csv: asCsv,
    to_jsforce: compareRounds(rates.ours, rates.theirs),
    with_faults: { ours: faulty.ours, jsforce: faulty.theirs },
    single_creates: latency,
    target: { calls_max: callsMax, ratio_min: RATIO_MIN },
    met: {
      calls: all.every(({ calls }) => calls <= callsMax),
      every_row: all.every((one) => isComplete(one, rows)),
      ratio: median(rates.ours) / median(rates.theirs) >= RATIO_MIN,
      complete_with_faults: isComplete(faulty.ours, rows),
    },
  };
};

type Source = { file: string; format: ImportFormat; rows: number };
type Arm = (sandbox: BenchSandbox) => Promise<void>;

type Ours = {
  per_second: number;
  calls: number;
  results: { rows: number; by_status: Record<string, number>; repeated_ids: number };
  records: number;
};
type Theirs = {
  per_second: number;
  calls: number;
  said_succeeded: number;
  said_failed: number;
  /** Rows said to have failed whose record is there. */
  failed_but_written: number;
  missing: number;
  records: number;
};

const isComplete = ({ results, records }: Ours, rows: number) =>
  results.rows === rows &&
  results.by_status.succeeded === rows &&
  results.repeated_ids === 0 &&
  records === rows;

/** Enough to have everything compiled. */
async function warmFile(directory: string): Promise<string> {
  const file = join(directory, 'warm.ndjson');
  await writeRows(file, 'ndjson', { label: 'Warm', count: 2_000 });
  return file;
}

/** An organisation without the records of the round before, whose calls take 20 ms. */
async function resetSandbox(sandbox: BenchSandbox, arm?: Arm): Promise<void> {
  await sandbox.control('POST', '/reset', { provider: 'salesforce' });
  const limits = { provider: 'salesforce', latency_ms: LATENCY_MS, daily_limit: 10_000_000 };
  await sandbox.control('POST', '/limits', limits);
  await arm?.(sandbox);
}

/** A lock for one row of twenty, whatever call it is in; one batch of a hundred loses its answer, half of them written. */
async function armFaults(sandbox: BenchSandbox): Promise<void> {
  const fault = { provider: 'salesforce', times: -1 };
  const batches = { path: '/composite/sobjects/Opportunity' };
  for (const [seed, kind] of ['reset_after_commit', 'reset_before_commit'].entries())
    await sandbox.control('POST', '/faults', { ...fault, kind, probability: 0.005, seed, match: batches });
  const match = { method: 'PATCH', path: '/sobjects/Opportunity/' };
  await sandbox.control('POST', '/faults', { ...fault, kind: 'lock_row', row_rate: 0.05, seed: 2, match });
}

async function ours({ system, sandbox, account }: Rig, source: Source, arm?: Arm): Promise<Ours> {
  const { client, api } = system;
  await resetSandbox(sandbox, arm);
  const startedMs = performance.now();
  const upload = { ...source, account, query: '&strategy=collections' };
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

async function theirs(sandbox: BenchSandbox, source: Source, arm?: Arm): Promise<Theirs> {
  await resetSandbox(sandbox, arm);
  const task: JsforceTask = {
    instanceUrl: `${sandbox.origin}/salesforce`,
    accessToken: accessTokenOf('jsforce'),
    file: source.file,
    ...{ keyField: KEY_FIELD, label: 'jsforce' },
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

/** Single creates of the importing account and of another one, alone and beside the import. */
async function measureBeside({ system, sandbox, account }: Rig, source: Source) {
  const { client, api } = system;
  await resetSandbox(sandbox);
  const other = await connectSalesforce(client, { label: 'other', origin: sandbox.origin });
  const accounts = { same_account: account, other_account: other.id };
  const measure = (label: string, goesOn: () => boolean) =>
    measureCreates({ origin: api.origin, sandbox, accounts, label, goesOn });
  await measure('warm', times(10));
  const alone = await measure('alone', times(60));
  const { id } = await uploadImport(api.origin, { ...source, account, query: '&strategy=collections' });
  let isRunning = true;
  const ended = untilEnded(client, id, { withinMs: WORK_WITHIN_MS }).finally(() => {
    isRunning = false;
  });
  const [besideImport, { counts }] = await Promise.all([measure('beside', () => isRunning), ended]);
  return { alone, beside_import: besideImport, import_succeeded: counts.succeeded };
}

function times(count: number): () => boolean {
  let left = count;
  return () => left-- > 0;
}
