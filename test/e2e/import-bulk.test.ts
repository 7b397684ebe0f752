import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { RunningProcess } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { importsOf, salesforceRows } from './import-support.ts';
import { aName, BY_KEY, type Rig, startRig, type Target } from './rig.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Imports into Salesforce by Bulk API 2.0. */
let rig: Rig;
let imports: ReturnType<typeof importsOf>;
let worker: RunningProcess;
let account: Target;

const JOBS = '/jobs/ingest';
const BULK = { query: '&strategy=bulk' };
const QUICK = { bulk_delay_ms: 20, bulk_chunk_ms: 0, bulk_fail_after_rows: null, bulk_batches: 15_000 };

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  imports = importsOf(rig);
  worker = await rig.workerForAll();
  account = await rig.account('salesforce', { marker: BY_KEY });
});
afterAll(async () => {
  await worker.kill();
  await rig.close();
});
beforeEach(() => configure(QUICK));

const configure = (options: Record<string, unknown>) =>
  rig.control('limits', { provider: 'salesforce', ...options });
const fault = (fault: Record<string, unknown>) => rig.control('faults', { provider: 'salesforce', ...fault });

/** Metered calls since `from`, by method and path. */
async function callsSince(from: number): Promise<string[]> {
  const answer = await fetch(`${rig.sandbox.origin}/_control/calls?provider=salesforce`);
  const { calls } = (await answer.json()) as { calls: { method: string; path: string }[] };
  return calls.slice(from).map(({ method, path }) => `${method} ${path}`);
}
const callsSoFar = async () => (await callsSince(0)).length;

it('writes the rows in one job, tells each one apart, and says so', async () => {
  const name = aName('Bulk');
  const from = await callsSoFar();
  const rows = salesforceRows(name, 1_500, (row) => {
    if (row === 7) return { account: { id: '001000000000000AAA' } };
    if (row === 8) return { close_date: 'soon' };
    return {};
  });
  const ended = await imports.ended(await imports.accepted(account, rows, BULK));
  expect(ended).toMatchObject({
    status: 'completed',
    strategy: 'bulk',
    strategy_reason: 'As asked for.',
    counts: { total: 1_500, succeeded: 1_498, failed: 2, queued: 0, running: 0 },
  });
  const calls = (await callsSince(from)).filter((call) => !call.includes('/describe'));
  expect(calls.length).toBeLessThan(15);
  expect(calls.every((call) => call.includes(JOBS))).toBe(true);
  const results = await imports.results(ended.id);
  expect(results[6]).toMatchObject({ status: 'failed', pointer: '/account/id' });
  expect(results[7]).toMatchObject({ status: 'failed', pointer: '/close_date' });
  expect(new Set(results.flatMap(({ remote_id }) => remote_id ?? [])).size).toBe(1_498);
  expect(await rig.records(account, name)).toHaveLength(1_498);
});

it('what its file cannot say goes in a batch afterwards; dedupe keys hold', async () => {
  const [name, key] = [aName('Unsayable'), aName('key')];
  const rows = salesforceRows(name, 100, (row) => ({
    dedupe_key: `${key} ${row % 50}`,
    ...(row === 3 ? { description: 'two\r\nlines' } : {}),
  }));
  const ended = await imports.ended(await imports.accepted(account, rows, BULK));
  expect(ended.counts).toMatchObject({ succeeded: 50, duplicate: 50, failed: 0 });
  expect((await imports.results(ended.id))[2]).toMatchObject({ row: 3, status: 'succeeded' });
  expect(await rig.records(account, name)).toHaveLength(50);
});

it('rows that met a lock go again in batches', async () => {
  const name = aName('Locked');
  await fault({ kind: 'lock_row', match: { method: 'PATCH', path: JOBS }, row_rate: 0.1, times: 1 });
  const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 400), BULK));
  expect(ended.counts).toMatchObject({ succeeded: 400, failed: 0 });
  expect(await rig.records(account, name)).toHaveLength(400);
});

it.each([
  ['dies on the way', { bulk_fail_after_rows: 250 }],
  ['is beyond the batches of the day and says nothing of its rows', { bulk_batches: 0 }],
])('a job that %s leaves no row behind', async (_, options) => {
  const name = aName('Died');
  await configure(options);
  const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 600), BULK));
  expect(ended.counts).toMatchObject({ succeeded: 600, failed: 0 });
  expect(await rig.records(account, name)).toHaveLength(600);
  const ids = (await imports.results(ended.id)).map(({ remote_id }) => remote_id);
  expect(new Set(ids).size).toBe(600);
});

it.each([
  ['the opening', { method: 'POST', path: JOBS }],
  ['the upload', { method: 'PUT', path: JOBS }],
  ['the closing', { method: 'PATCH', path: JOBS }],
  ['the written rows', { method: 'GET', path: 'successfulResults' }],
])('a lost answer to %s loses no row and doubles none', async (_, match) => {
  const name = aName('Lost');
  await fault({ kind: 'reset_after_commit', match, times: 1 });
  const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 300), BULK));
  expect(ended.counts).toMatchObject({ succeeded: 300, failed: 0 });
  expect(await rig.records(account, name)).toHaveLength(300);
});

it('is not offered to this user: the rows go in batches, and the import says why', async () => {
  const name = aName('Refused');
  await fault({ kind: 'status', status: 403, match: { method: 'POST', path: JOBS }, times: 1 });
  const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 500), BULK));
  expect(ended).toMatchObject({
    strategy: 'collections',
    strategy_reason: expect.stringContaining('Salesforce took no bulk job'),
    counts: { succeeded: 500 },
  });
  expect(await rig.records(account, name)).toHaveLength(500);
});

it('paused, what was handed over finishes; cancelled before that, nothing was written and keys are free', async () => {
  const [name, key] = [aName('Paused'), aName('key')];
  await configure({ bulk_delay_ms: 1_500 });
  const id = await imports.accepted(account, salesforceRows(name, 300), BULK);
  await until('the job runs', async () =>
    worker.records('bulk.step').some((step) => step.import_id === id && step.from === 'closed'),
  );
  expect((await imports.act(id, 'pause')).body.status).toBe('paused');
  const still = await imports.reached(id, 'at rest', ({ counts }) => counts.running === 0);
  expect(still).toMatchObject({ status: 'paused', counts: { succeeded: 300, queued: 0 } });
  await imports.act(id, 'resume');
  expect((await imports.ended(id)).status).toBe('completed');

  await fault({ kind: 'status', status: 503, match: { method: 'POST', path: JOBS }, times: 2 });
  const keyed = () => salesforceRows(name, 20, (row) => ({ dedupe_key: `${key} ${row}` }));
  const stopped = await imports.accepted(account, keyed(), BULK);
  await imports.reached(stopped, 'under way', ({ counts }) => counts.running === 20);
  await imports.act(stopped, 'cancel');
  expect(await imports.ended(stopped)).toMatchObject({ status: 'cancelled', counts: { cancelled: 20 } });
  const again = await imports.ended(await imports.accepted(account, keyed()));
  expect(again.counts).toMatchObject({ succeeded: 20, duplicate: 0 });
  expect(await rig.records(account, name)).toHaveLength(320);
});

it('cancelled when the job runs, its rows finish and keep their results', async () => {
  const name = aName('Cancelled');
  await configure({ bulk_delay_ms: 1_500 });
  const id = await imports.accepted(account, salesforceRows(name, 250), BULK);
  await until('the job runs', async () =>
    worker.records('bulk.step').some((step) => step.import_id === id && step.from === 'closed'),
  );
  expect((await imports.act(id, 'cancel')).status).toBe(200);
  expect((await imports.read(id)).counts).toMatchObject({ running: 250, cancelled: 0 });
  expect(await imports.ended(id)).toMatchObject({
    status: 'cancelled',
    counts: { succeeded: 250, cancelled: 0, running: 0 },
  });
  expect(await rig.records(account, name)).toHaveLength(250);
});

it('is chosen where batches would take too many of the calls that are left of the day', async () => {
  const name = aName('Scarce');
  await configure({ daily_limit: (await callsSoFar()) + 200 });
  const scarce = await rig.account('salesforce', { marker: BY_KEY });
  const ended = await imports.ended(await imports.accepted(scarce, salesforceRows(name, 5_000)));
  await configure({ daily_limit: 5_000_000 });
  expect(ended).toMatchObject({
    strategy: 'bulk',
    strategy_reason: expect.stringMatching(/^200 rows a call would take 25 of the \d+ calls/),
    options: { strategy: 'auto' },
    counts: { succeeded: 5_000 },
  });
  expect(await rig.records(scarce, name)).toHaveLength(5_000);
});
