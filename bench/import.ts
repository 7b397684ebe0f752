import { join } from 'node:path';
import { measureCreates } from './support/creates.ts';
import { type Bench, compareRounds, median } from './support/figures.ts';
import { type ImportFormat, writeRows } from './support/import-rows.ts';
import {
  armFaults,
  isComplete,
  LATENCY_MS,
  type Ours,
  ours,
  type Rig,
  resetSandbox,
  type Source,
  type Theirs,
  theirs,
  WORK_WITHIN_MS,
} from './support/import-sides.ts';
import { untilEnded, uploadImport } from './support/imports.ts';
import { connectSalesforce } from './support/salesforce.ts';
import { startSystem } from './support/system.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const ROWS_PER_CALL = 200;
/** Besides one call for 200 rows: reading what the organisation looks like. */
const MORE_CALLS_MAX = 5;
/** The account's concurrency, for jsforce driven by somebody who sends several calls at once himself. */
const AT_ONCE = 8;
const BULK_CALLS_MAX = 60;
const RATIO_MIN = 1;
/** One after the other, so that there are enough creates to speak of. */
const IMPORTS_BESIDE = 3;

/**
 * 100,000 rows into Salesforce at 20 ms a call, 200 rows a call, as NDJSON and as CSV: calls that Salesforce would count, what
 * became of every row, and rows a second from the first byte of the upload to the end of the import. Then the same with 5 %
 * of the rows meeting a lock and 1 % of the answers lost. Control: the unmodified jsforce, by its own collections upsert. Last,
 * how long a single create takes while such imports run, of its account and of another one; control: without the import.
 *
 * Target: at most 505 calls, and 60 as bulk jobs; every row accounted for; as many rows a second as jsforce; with faults
 * complete, too.
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
  const theirsAtOnce = await theirs(sandbox, ndjson, { atOnce: AT_ONCE });
  const asCsv = await ours(rig, csv);
  const asBulk = await ours(rig, ndjson, { strategy: 'bulk' });
  const faulty = {
    theirs: await theirs(sandbox, ndjson, { arm: armFaults }),
    ours: await ours(rig, ndjson, { arm: armFaults }),
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
    ndjson: { ours: plain.ours, jsforce: plain.theirs, jsforce_8_at_once: theirsAtOnce },
    csv: asCsv,
    bulk: asBulk,
    to_jsforce: compareRounds(rates.ours, rates.theirs),
    with_faults: { ours: faulty.ours, jsforce: faulty.theirs },
    single_creates: latency,
    target: { calls_max: callsMax, bulk_calls_max: BULK_CALLS_MAX, ratio_min: RATIO_MIN },
    met: {
      calls: all.every(({ calls }) => calls <= callsMax),
      bulk_calls: asBulk.calls <= BULK_CALLS_MAX,
      every_row: [...all, asBulk].every((one) => isComplete(one, rows)),
      ratio: median(rates.ours) / median(rates.theirs) >= RATIO_MIN,
      complete_with_faults: isComplete(faulty.ours, rows),
    },
  };
};

/** Enough to have everything compiled. */
async function warmFile(directory: string): Promise<string> {
  const file = join(directory, 'warm.ndjson');
  await writeRows(file, 'ndjson', { label: 'Warm', count: 2_000 });
  return file;
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
  let isRunning = true;
  const importing = async () => {
    let succeeded = 0;
    for (let i = 0; i < IMPORTS_BESIDE; i++) {
      const { id } = await uploadImport(api.origin, { ...source, account, query: '&strategy=collections' });
      succeeded += (await untilEnded(client, id, { withinMs: WORK_WITHIN_MS })).counts.succeeded;
    }
    return succeeded;
  };
  const imported = importing().finally(() => {
    isRunning = false;
  });
  const [beside, succeeded] = await Promise.all([measure('beside', () => isRunning), imported]);
  return { alone, beside_imports: beside, imports: IMPORTS_BESIDE, rows_succeeded: succeeded };
}

function times(count: number): () => boolean {
  let left = count;
  return () => left-- > 0;
}
