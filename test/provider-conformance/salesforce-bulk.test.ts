import { describe, expect, it } from 'vitest';
import { makeId } from '../../sandbox/salesforce/ids.ts';
import type { BatchRow } from '../../shared/providers/batch-port.ts';
import { advanceBulk, type BulkProgress, type BulkStep } from '../../shared/providers/bulk-steps.ts';
import type { Call } from '../../shared/providers/port.ts';
import { salesforceBatch } from '../../shared/providers/salesforce/batch.ts';
import { salesforceBulk as client } from '../../shared/providers/salesforce/bulk.ts';
import { until } from '../support/until.ts';
import { aRow, rowsOf, SETTINGS, useBatchRig } from './salesforce-batch-rig.ts';

const rig = useBatchRig();
type Ended = Extract<BulkStep, { kind: 'ended' }>;

/** One step from what is stored, as a worker makes it. */
function stepOf(rows: readonly BatchRow[], progress: BulkProgress | undefined, over: { call?: Call } = {}) {
  const saved: BulkProgress[] = [];
  const step = advanceBulk({
    client,
    call: over.call ?? rig.call,
    settings: SETTINGS,
    progress,
    file: async () => {
      const file = client.newFile(SETTINGS);
      for (const row of rows) file.add(row);
      return file.text();
    },
    save: async (next) => saved.push(next) > 0,
  });
  return step.then((result) => ({ step: result, saved }));
}

/** Steps until the job has ended; `steps` are the ones on the way. */
async function drive(rows: readonly BatchRow[], from?: BulkProgress) {
  let progress = from;
  const steps: string[] = [];
  const ended = await until('the bulk job to end', async () => {
    const { step } = await stepOf(rows, progress);
    if (step.kind === 'ended') return step;
    if (step.kind === 'refused' || step.kind === 'taken') throw new Error(JSON.stringify(step));
    progress = step.progress;
    steps.push(`${step.kind} ${progress?.step ?? 'none'}`);
    return undefined;
  });
  return { ended, steps };
}

/** Steps up to the one named, which is not made. */
async function driveTo(wanted: BulkProgress['step'], rows: readonly BatchRow[]): Promise<BulkProgress> {
  let progress: BulkProgress | undefined;
  return until(`the step ${wanted}`, async () => {
    if (progress?.step === wanted) return progress;
    const { step } = await stepOf(rows, progress);
    if (step.kind !== 'go_on') throw new Error(JSON.stringify(step));
    progress = step.progress;
    return undefined;
  });
}

const kindOf = ({ outcomes }: Ended, row: BatchRow | undefined) => outcomes.get(row?.key ?? '')?.outcome.kind;
const keysOf = (records: Record<string, unknown>[]) => records.map(({ Dealwright_Id__c: key }) => key);
const jobs = '/jobs/ingest';

describe('a Bulk API 2.0 job', () => {
  it('writes its rows under their keys and tells each one apart', async () => {
    await rig.configure({ bulk_delay_ms: 20 });
    const rows = [
      aRow({ name: 'Two "big"\nlines, one name', amount: 1250.55 }),
      aRow({ account: { id: makeId('001', 999) } }),
      aRow({ custom_fields: { Tier__c: 'Tin', Renewal__c: true } }),
      aRow({
        name: '  kept, spaces ',
        description: 'x',
        remote_data: { Account: { External_Key__c: 'ACC-1' } },
      }),
      aRow({ remote_data: { NextStep: null } }),
    ];
    const { ended } = await drive(rows);
    const records = await rig.records();
    expect(rows.map((row) => kindOf(ended, row))).toEqual([
      'written',
      'permanent',
      'permanent',
      'written',
      'written',
    ]);
    expect(ended.outcomes.get(rows[0]?.key ?? '')).toMatchObject({
      created: true,
      outcome: { remoteId: records[0]?.Id },
    });
    expect(ended.outcomes.get(rows[1]?.key ?? '')?.outcome).toMatchObject({
      code: 'provider_forbidden',
      fields: [{ pointer: '/account/id' }],
    });
    expect(ended.outcomes.get(rows[2]?.key ?? '')?.outcome).toMatchObject({
      code: 'provider_validation',
      fields: [{ pointer: '/custom_fields/Tier__c' }],
    });
    expect(records).toMatchObject([
      { Name: 'Two "big"\nlines, one name', Amount: 1250.55, CloseDate: '2026-12-24' },
      { Name: 'kept, spaces', AccountId: makeId('001', 1), Description: 'x' },
      { NextStep: null },
    ]);
    expect(keysOf(records)).toEqual([rows[0]?.key, rows[3]?.key, rows[4]?.key]);
  });

  it('takes a handful of calls for thousands of rows', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    const rows = rowsOf(3_000);
    const { ended } = await drive(rows);
    expect(rows.every((row) => kindOf(ended, row) === 'written')).toBe(true);
    const { 'GET /services/data/v62.0/jobs/ingest/{id}': polls = 0, ...others } = await rig.calls();
    expect(polls).toBeGreaterThan(0);
    expect(Object.values(others)).toEqual([1, 1, 1, 1, 1]);
  });

  it('meets its own records when the same rows travel again', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    const rows = rowsOf(10);
    const first = await drive(rows);
    const second = await drive(rows);
    expect([...second.ended.outcomes.values()].map(({ created }) => created)).toEqual(rows.map(() => false));
    expect(rows.map(({ key }) => second.ended.outcomes.get(key)?.outcome)).toMatchObject(
      rows.map(({ key }) => {
        const outcome = first.ended.outcomes.get(key)?.outcome;
        return { remoteId: outcome?.kind === 'written' ? outcome.remoteId : '' };
      }),
    );
    expect(await rig.records()).toHaveLength(10);
  });

  it('knows locked rows from refused ones', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    await rig.fault({ kind: 'lock_row', match: { method: 'PATCH', path: jobs }, row_rate: 0.1 });
    const rows = rowsOf(200);
    const { ended } = await drive(rows);
    const locked = rows.filter((row) => kindOf(ended, row) !== 'written');
    expect(locked.length).toBeGreaterThan(5);
    for (const { key } of locked) {
      expect(ended.outcomes.get(key)?.outcome).toMatchObject({
        kind: 'rate_limited',
        code: 'provider_row_locked',
      });
    }
  });
});

describe('an answer that is lost', () => {
  const rows = rowsOf(5);
  const paths: [what: string, match: Record<string, string>][] = [
    ['the opening', { method: 'POST', path: jobs }],
    ['the upload', { method: 'PUT', path: jobs }],
    ['the closing', { method: 'PATCH', path: jobs }],
    ['a look at the job', { method: 'GET', path: jobs }],
    ['the written rows', { method: 'GET', path: 'successfulResults' }],
    ['the refused rows', { method: 'GET', path: 'failedResults' }],
  ];
  const faults = ['reset_before_commit', 'reset_after_commit', 'status'];

  it.each(paths.flatMap(([what, match]) => faults.map((kind) => ({ what, match, kind }))))(
    'to $what ($kind) neither loses a row nor writes one twice',
    async ({ match, kind }) => {
      await rig.configure({ bulk_delay_ms: 0 });
      await rig.fault({ kind, match, ...(kind === 'status' ? { status: 502, after_commit: true } : {}) });
      const { ended } = await drive(rows);
      expect(rows.map((row) => kindOf(ended, row))).toEqual(rows.map(() => 'written'));
      expect(keysOf(await rig.records())).toEqual(rows.map(({ key }) => key));
    },
  );

  it('never uploads to the job of a worker that died while it uploaded', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    const opened = await driveTo('opened', rows);
    const { step, saved } = await stepOf(rows, opened);
    expect(saved).toEqual([{ ...opened, step: 'uploading' }]);
    expect(step).toMatchObject({ progress: { step: 'uploaded' } });
    // The worker died before it could store what the upload came to.
    const { ended, steps } = await drive(rows, saved[0]);
    expect(steps.slice(0, 2)).toEqual(['go_on none', 'go_on opened']);
    expect(ended.outcomes.size).toBe(5);
    expect(await rig.records()).toHaveLength(5);
  });

  it('does not close a second time a job that is past its closing', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    const uploaded = await driveTo('uploaded', rows);
    await stepOf(rows, uploaded);
    const { ended } = await drive(rows, uploaded);
    expect(ended.outcomes.size).toBe(5);
  });
});

describe('a job that does not end well', () => {
  it('dies on the way: what it wrote, and what it did not begin with', async () => {
    await rig.configure({ bulk_delay_ms: 0, bulk_fail_after_rows: 250 });
    const rows = rowsOf(600);
    const { ended } = await drive(rows);
    expect(ended.message).toContain('TooManyLockFailure');
    expect([...ended.outcomes.keys()]).toEqual(rows.slice(0, 250).map(({ key }) => key));
    expect([...ended.unprocessed]).toEqual(rows.slice(250).map(({ key }) => key));
    expect(await rig.records()).toHaveLength(250);
  });

  it('says nothing of rows beyond the daily batches, which are not taken for unprocessed', async () => {
    await rig.configure({ bulk_delay_ms: 0, bulk_batches: 0 });
    const { ended } = await drive(rowsOf(3));
    expect(ended).toMatchObject({ message: expect.stringContaining('ExceededQuota') });
    expect([ended.outcomes.size, ended.unprocessed.size]).toEqual([0, 0]);
  });

  it('is aborted midway: the rows it wrote are told, the others stay unknown', async () => {
    await rig.configure({ bulk_delay_ms: 0, bulk_chunk_ms: 60_000 });
    const rows = rowsOf(500);
    const closed = await driveTo('closed', rows);
    await until('the first chunk', async () => (await rig.records()).length === 200 || undefined);
    expect(await client.abort(rig.call, SETTINGS, closed.jobId)).toMatchObject({ ok: true });
    const { ended } = await drive(rows, closed);
    expect([...ended.outcomes.keys()]).toEqual(rows.slice(0, 200).map(({ key }) => key));
    expect(ended.unprocessed.size).toBe(0);
    const asked = rows.slice(100, 300).map(({ key }) => key);
    const answer = await rig.call(salesforceBatch.findRequest(asked, SETTINGS));
    if (answer.kind !== 'answered') throw new Error(answer.kind);
    expect(salesforceBatch.readFound(answer, SETTINGS)?.size).toBe(100);
  });

  it('is deleted there: every row is unknown', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    const rows = rowsOf(2);
    const closed = await driveTo('done', rows);
    const path = `/services/data/v62.0/jobs/ingest/${closed.jobId}`;
    await rig.call({ method: 'DELETE', path, purpose: 'follow_up' });
    const { step } = await stepOf(rows, { step: 'closed', jobId: closed.jobId, polls: 3 });
    expect(step).toMatchObject({ kind: 'ended', outcomes: new Map(), unprocessed: new Set() });
  });

  it('has result files nobody can read: they are given up after some tries', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    const rows = rowsOf(2);
    const done = await driveTo('done', rows);
    await rig.fault({ kind: 'status', status: 503, times: -1, match: { path: 'successfulResults' } });
    const { ended, steps } = await drive(rows, done);
    expect(steps).toEqual(['stopped done', 'stopped done', 'stopped done']);
    expect([ended.outcomes.size, ended.unprocessed.size]).toEqual([0, 0]);
  });

  it('is not offered to this user: the rows must travel otherwise', async () => {
    await rig.fault({ kind: 'status', status: 403, match: { method: 'POST', path: jobs } });
    const { step } = await stepOf(rowsOf(2), undefined);
    expect(step).toMatchObject({
      kind: 'refused',
      failure: { kind: 'permanent', code: 'provider_forbidden' },
    });
  });

  it('waits for its turn without giving its job up', async () => {
    const deferred: Call = async () => ({ kind: 'deferred', untilMs: 1, reason: 'rate_limited' });
    const opened = { step: 'opened', jobId: makeId('750', 1) } as const;
    const { step } = await stepOf(rowsOf(1), opened, { call: deferred });
    expect(step).toMatchObject({ kind: 'stopped', progress: opened });
  });
});
