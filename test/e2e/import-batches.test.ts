import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunningProcess } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { importsOf, salesforceRows } from './import-support.ts';
import { aName, BY_KEY, type Rig, startRig, type Target } from './rig.ts';

vi.setConfig({ testTimeout: 60_000 });

let rig: Rig;
let imports: ReturnType<typeof importsOf>;
let worker: RunningProcess;
let account: Target;

const BATCH = { path: '/composite/sobjects/Opportunity/Dealwright_Id__c' };

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

/** Batches whose answer the worker never had. */
const lostBatches = () =>
  worker.records('batch.finished').filter(({ outcome }) => outcome === 'ambiguous').length;

/** Batches that carried rows of this name, in the order of their coming. */
async function batchCalls(name: string): Promise<{ startedAtMs: number; endedAtMs: number }[]> {
  const answer = await fetch(`${rig.sandbox.origin}/_control/calls?provider=salesforce`);
  const { calls } = (await answer.json()) as {
    calls: { path: string; startedAtMs: number; endedAtMs: number; body?: unknown }[];
  };
  return calls.filter(({ path, body }) => path.includes(BATCH.path) && JSON.stringify(body).includes(name));
}

/** Calls of any kind that carried rows of this name. */
const callsFor = (name: string) => rig.createCalls(account, name);

it('200 rows go in one call, each with its own result', async () => {
  const name = aName('Batch');
  const rows = salesforceRows(name, 450, (row) => (row === 7 ? { close_date: 'soon' } : {}));
  const id = await imports.accepted(account, rows);
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({
    status: 'completed',
    strategy: 'collections',
    counts: { total: 450, succeeded: 449, failed: 1 },
  });
  expect(await callsFor(name)).toBe(3);
  const results = await imports.results(id);
  expect(results[6]).toMatchObject({ status: 'failed', pointer: '/close_date', remote_id: null });
  expect(new Set(results.flatMap(({ remote_id }) => remote_id ?? [])).size).toBe(449);
  expect(await rig.records(account, name)).toHaveLength(449);
});

it('several batches are under way at once, fewer than the account may have calls', async () => {
  const three = await rig.account('salesforce', {
    marker: BY_KEY,
    rate_limit: { requests: 200, per_seconds: 1, concurrency: 4 },
  });
  const name = aName('Lanes');
  await rig.control('limits', { provider: 'salesforce', latency_ms: 300 });
  const ended = await imports.ended(await imports.accepted(three, salesforceRows(name, 1_800)));
  await rig.control('limits', { provider: 'salesforce', latency_ms: 0 });
  expect(ended.counts).toMatchObject({ succeeded: 1_800, failed: 0 });
  const calls = await batchCalls(name);
  expect(calls).toHaveLength(9);
  const atOnce = calls.map(
    (call) =>
      calls.filter((other) => other.startedAtMs <= call.startedAtMs && other.endedAtMs > call.startedAtMs)
        .length,
  );
  expect(Math.max(...atOnce)).toBe(3);
  const results = await imports.results(ended.id);
  expect(results.map(({ row }) => row)).toEqual(results.map((_, i) => i + 1));
  expect(results.every((result) => result.name === `${name} #${result.row}#`)).toBe(true);
  expect(await rig.records(three, name)).toHaveLength(1_800);
});

it('a batch whose answer is lost does not keep the others from going', async () => {
  const two = await rig.account('salesforce', {
    marker: BY_KEY,
    rate_limit: { requests: 200, per_seconds: 1, concurrency: 3 },
  });
  const name = aName('Doubt');
  await rig.control('faults', { provider: 'salesforce', match: BATCH, kind: 'reset_after_commit', times: 1 });
  const ended = await imports.ended(await imports.accepted(two, salesforceRows(name, 2_000)));
  expect(ended.counts).toMatchObject({ succeeded: 2_000, failed: 0 });
  const [lost, ...others] = await batchCalls(name);
  expect(others).toHaveLength(9);
  // It is looked for after 1.5 s.
  for (const { startedAtMs } of others) expect(startedAtMs - (lost?.startedAtMs ?? 0)).toBeLessThan(1_500);
  expect(await rig.records(two, name)).toHaveLength(2_000);
});

it('a row the provider refuses is a failed row by our field, the others of its call are written', async () => {
  const name = aName('Refused');
  const rows = salesforceRows(name, 20, (row) =>
    row === 3 ? { account: { id: '001000000000000AAA' } } : {},
  );
  const ended = await imports.ended(await imports.accepted(account, rows));
  expect(ended.counts).toMatchObject({ succeeded: 19, failed: 1 });
  const [failed] = await imports.results(ended.id, 'status=failed');
  expect(failed).toMatchObject({ row: 3, pointer: expect.stringContaining('/account') });
  expect(await rig.records(account, name)).toHaveLength(19);
});

it.each(['reset_after_commit', 'reset_before_commit', 'hang_after_commit'])(
  'a batch whose answer is lost (%s) is looked for, and no row is doubled or lost',
  async (kind) => {
    const name = aName('Lost');
    const before = lostBatches();
    await rig.control('faults', { provider: 'salesforce', match: BATCH, kind, times: 1 });
    const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 120)));
    expect(ended.counts).toMatchObject({ succeeded: 120, failed: 0 });
    expect(lostBatches()).toBe(before + 1);
    expect(await rig.records(account, name)).toHaveLength(120);
    const ids = (await imports.results(ended.id)).map(({ remote_id }) => remote_id);
    expect(new Set(ids).size).toBe(120);
  },
);

it('a batch that commits after it was given up is not written a second time', async () => {
  const name = aName('Late');
  await rig.control('faults', {
    provider: 'salesforce',
    match: BATCH,
    kind: 'late_commit',
    delay_ms: 2_500,
    times: 1,
  });
  const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 50)));
  expect(ended.counts.succeeded).toBe(50);
  expect(await rig.records(account, name)).toHaveLength(50);
});

it('limits and outages of the whole call are waited out', async () => {
  const name = aName('Limited');
  await rig.control('faults', {
    provider: 'salesforce',
    match: BATCH,
    kind: 'status',
    status: 503,
    times: 1,
  });
  const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 50)));
  expect(ended.counts.succeeded).toBe(50);
  expect(await rig.records(account, name)).toHaveLength(50);
});

it('rows that meet a lock are tried again by themselves', async () => {
  const name = aName('Locked');
  await rig.control('faults', {
    provider: 'salesforce',
    match: BATCH,
    kind: 'lock_row',
    row_rate: 0.3,
    times: 1,
  });
  const ended = await imports.ended(await imports.accepted(account, salesforceRows(name, 60)));
  expect(ended.counts).toMatchObject({ succeeded: 60, failed: 0 });
  expect(await callsFor(name)).toBeGreaterThan(1);
  expect(await rig.records(account, name)).toHaveLength(60);
});

it('what a batch cannot carry is written singly beside it', async () => {
  const name = aName('Carried');
  const id = await imports.accepted(
    account,
    salesforceRows(name, 30, (row) => (row === 4 ? { created_at: '2020-01-01T00:00:00Z' } : {})),
    { query: '&strategy=collections' },
  );
  const ended = await imports.ended(id);
  expect(ended.counts).toMatchObject({ succeeded: 30 });
  expect(await rig.records(account, name)).toHaveLength(30);
});

it('a dedupe key holds over batches, too', async () => {
  const [name, key] = [aName('Keyed'), aName('key')];
  const rows = salesforceRows(name, 10, (row) => ({ dedupe_key: `${key} ${row % 5}` }));
  const first = await imports.ended(await imports.accepted(account, rows));
  expect(first.counts).toMatchObject({ succeeded: 5, duplicate: 5 });
  const second = await imports.ended(await imports.accepted(account, rows, { query: '&strategy=single' }));
  expect(second.counts).toMatchObject({ succeeded: 0, duplicate: 10 });
  expect(await rig.records(account, name)).toHaveLength(5);
  const ids = (await imports.results(second.id)).map(({ remote_id }) => remote_id);
  expect(new Set(ids).size).toBe(5);
});

it('cancelled between two batches it keeps what is written', async () => {
  const slow = await rig.account('salesforce', {
    marker: BY_KEY,
    rate_limit: { requests: 1, per_seconds: 1, concurrency: 1 },
  });
  const name = aName('Stopped');
  const id = await imports.accepted(slow, salesforceRows(name, 2_000));
  await imports.reached(id, 'under way', ({ counts }) => counts.succeeded > 0);
  await imports.act(id, 'cancel');
  const ended = await imports.ended(id);
  expect(ended.status).toBe('cancelled');
  expect(ended.counts.succeeded + ended.counts.cancelled).toBe(2_000);
  expect(await rig.records(slow, name)).toHaveLength(ended.counts.succeeded);
});
