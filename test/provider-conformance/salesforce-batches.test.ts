import { describe, expect, it } from 'vitest';
import { makeId } from '../../sandbox/salesforce/ids.ts';
import type { BatchRow, BatchRowOutcome } from '../../shared/providers/batch-port.ts';
import { salesforceBatch as batch } from '../../shared/providers/salesforce/batch.ts';
import { aRow, rowsOf, SETTINGS, useBatchRig } from './salesforce-batch-rig.ts';

const rig = useBatchRig();

async function send(rows: readonly BatchRow[]) {
  const request = batch.request(rows, SETTINGS);
  const result = await rig.call(request);
  return result.kind === 'answered' ? batch.read(result, rows, request) : result;
}

async function outcomesOf(rows: readonly BatchRow[]): Promise<BatchRowOutcome[]> {
  const reading = await send(rows);
  if (reading.kind !== 'rows') throw new Error(JSON.stringify(reading));
  return reading.outcomes;
}

async function found(rows: readonly BatchRow[]) {
  const result = await rig.call(
    batch.findRequest(
      rows.map(({ key }) => key),
      SETTINGS,
    ),
  );
  return result.kind === 'answered' ? batch.readFound(result, SETTINGS) : undefined;
}

const kindsOf = (outcomes: BatchRowOutcome[]) => outcomes.map(({ outcome }) => outcome.kind);

describe('a batch of Salesforce opportunities', () => {
  it('writes 200 rows in one call, each under its key', async () => {
    const rows = rowsOf(200);
    const outcomes = await outcomesOf(rows);
    const records = await rig.records();
    expect(outcomes.map(({ outcome, created }) => ({ outcome, created }))).toEqual(
      records.map(({ Id }) => ({
        outcome: { kind: 'written', remoteId: Id, answer: expect.anything(), httpStatus: 201 },
        created: true,
      })),
    );
    expect(records.map(({ Name, Dealwright_Id__c }) => [Name, Dealwright_Id__c])).toEqual(
      rows.map(({ key }, index) => [`Deal ${index}`, key]),
    );
    expect(Object.values(await rig.calls()).reduce((sum, count) => sum + count)).toBe(1);
  });

  it('carries every field the single write carries', async () => {
    const row = aRow({
      name: 'Näme "quoted", 😀',
      amount: 1250.55,
      account: { id: makeId('001', 1) },
      owner: { id: makeId('005', 2) },
      description: 'Two\nlines',
      custom_fields: { Region__c: 'EMEA', Score__c: 7.5, Renewal__c: true, Segments__c: ['SMB'] },
      remote_data: { NextStep: 'Call', Account: undefined },
    });
    await outcomesOf([row]);
    expect(await rig.records()).toMatchObject([
      {
        Name: 'Näme "quoted", 😀',
        Amount: 1250.55,
        AccountId: makeId('001', 1),
        OwnerId: makeId('005', 2),
        Description: 'Two\nlines',
        Region__c: 'EMEA',
        Score__c: 7.5,
        Renewal__c: true,
        Segments__c: 'SMB',
        NextStep: 'Call',
        CloseDate: '2026-12-24',
      },
    ]);
  });

  it('judges each row by itself, with our names for the fields', async () => {
    const outcomes = await outcomesOf([
      aRow(),
      aRow({ account: { id: makeId('001', 999) } }),
      aRow({ custom_fields: { Tier__c: 'Tin' } }),
      aRow({ remote_data: { CloseDate: 'soon' } }),
      aRow({ remote_data: { Nope__c: 1 } }),
      aRow(),
    ]);
    expect(kindsOf(outcomes)).toEqual([
      'written',
      'permanent',
      'permanent',
      'permanent',
      'permanent',
      'written',
    ]);
    const failed = outcomes.slice(1, 5).map(({ outcome }) => outcome);
    expect(failed).toMatchObject([
      { code: 'provider_forbidden', fields: [{ pointer: '/account/id' }] },
      { code: 'provider_validation', fields: [{ pointer: '/custom_fields/Tier__c' }] },
      { fields: [{ pointer: '/close_date' }] },
      { fields: [{ pointer: '/custom_fields/Nope__c', code: 'custom_field_not_found' }] },
    ]);
    expect(await rig.records()).toHaveLength(2);
  });

  it('knows a locked row from a refused one, and writes it the second time', async () => {
    await rig.fault({ kind: 'lock_row', match: { path: '/composite/sobjects' }, row_rate: 0.05 });
    const rows = rowsOf(200);
    const outcomes = await outcomesOf(rows);
    const locked = rows.filter((_, index) => outcomes[index]?.outcome.kind !== 'written');
    expect(locked.length).toBeGreaterThan(1);
    for (const { outcome } of outcomes.filter(({ outcome: { kind } }) => kind !== 'written')) {
      expect(outcome).toMatchObject({
        kind: 'rate_limited',
        code: 'provider_row_locked',
        limit: { scope: 'parent' },
      });
    }
    expect(new Set(kindsOf(await outcomesOf(locked)))).toEqual(new Set(['written']));
    expect(await rig.records()).toHaveLength(200);
  });

  it('makes no second record when a batch whose answer was lost is sent again', async () => {
    const rows = rowsOf(20);
    await rig.fault({ kind: 'reset_after_commit', match: { path: '/composite/sobjects' } });
    expect(await send(rows)).toMatchObject({ kind: 'unanswered' });
    const again = await outcomesOf(rows);
    expect(again.map(({ outcome, created }) => [outcome.kind, created])).toEqual(
      rows.map(() => ['written', false]),
    );
    expect(await rig.records()).toHaveLength(20);
  });

  it('asks for all keys of a lost batch in one query: nothing, something, everything', async () => {
    const rows = rowsOf(200);
    await rig.fault({ kind: 'reset_before_commit', match: { path: '/composite/sobjects' } });
    expect(await send(rows)).toMatchObject({ kind: 'unanswered' });
    expect(await found(rows)).toEqual(new Map());
    await outcomesOf(rows.slice(0, 50));
    const ids = (await rig.records()).map(({ Id }) => Id);
    expect([...((await found(rows)) ?? [])]).toEqual(
      rows.slice(0, 50).map(({ key }, index) => [key, ids[index]]),
    );
    await outcomesOf(rows.slice(50));
    expect((await found(rows))?.size).toBe(200);
  });

  it('finds a record that somebody deleted meanwhile', async () => {
    const [row] = rowsOf(1);
    if (row === undefined) throw new Error('one row');
    await outcomesOf([row]);
    const [record] = await rig.records();
    await rig.call({
      method: 'DELETE',
      path: `/services/data/v62.0/sobjects/Opportunity/${record?.Id}`,
      purpose: 'follow_up',
    });
    expect(await found([row])).toEqual(new Map([[row.key, record?.Id]]));
  });

  it('takes a race with its own late commit for unknown, not for a failure', async () => {
    const rows = rowsOf(3);
    await rig.fault({
      kind: 'late_commit',
      match: { path: '/composite/sobjects' },
      delay_ms: 300,
      reset_after_ms: 10,
    });
    expect(await send(rows)).toMatchObject({ kind: 'unanswered' });
    // Sent while the first is still running, and looking for its keys after it committed.
    await rig.fault({ kind: 'late_commit', match: { path: '/composite/sobjects' }, delay_ms: 600 });
    const outcomes = await outcomesOf(rows);
    expect(outcomes.map(({ outcome }) => [outcome.kind, 'row' in outcome && outcome.row])).toEqual(
      rows.map(() => ['ambiguous', 'own_key_taken']),
    );
    expect((await found(rows))?.size).toBe(3);
    expect(await rig.records()).toHaveLength(3);
  });

  it.each([
    ['a limit', { kind: 'rate_limit' }, { kind: 'rate_limited' }],
    ['a gateway', { kind: 'status', status: 502 }, { kind: 'ambiguous' }],
    ['a row lock for all', { kind: 'lock_row' }, { kind: 'rate_limited', limit: { scope: 'parent' } }],
    ['a page of HTML', { kind: 'status', status: 200, body: '<html></html>' }, { kind: 'ambiguous' }],
    [
      'fewer results than rows',
      { kind: 'status', status: 200, body: [{ id: makeId('006', 1), success: true }] },
      { kind: 'ambiguous' },
    ],
  ])('is judged as a whole after %s', async (_, fault, failure) => {
    await rig.fault({ ...fault, match: { path: '/composite/sobjects' } });
    expect(await send(rowsOf(2))).toMatchObject({ kind: 'whole', failure });
  });

  it('does not take silence about a key for an answer', async () => {
    const rows = rowsOf(2);
    for (const body of [
      { compositeResponse: [] },
      [],
      'x',
      { compositeResponse: [{ body: [], httpStatusCode: 400, referenceId: 'found' }] },
    ]) {
      await rig.fault({ kind: 'status', status: 200, body, match: { path: '/composite' } });
      expect(await found(rows)).toBeUndefined();
    }
  });

  it('leaves to the single write what may only be written once or needs calls after it', () => {
    expect(batch.canCarry(aRow().plan)).toBe(true);
    expect(batch.canCarry(aRow({ contact: [{ id: makeId('003', 1) }] }).plan)).toBe(false);
    expect(batch.canCarry(aRow({ remote_data: { contactid: makeId('003', 1) } }).plan)).toBe(false);
    expect(batch.canCarry(aRow({ remote_data: { CreatedDate: '2026-01-01T00:00:00Z' } }).plan)).toBe(false);
    const { plan } = aRow();
    expect(batch.canCarry({ ...plan, create: { ...plan.create, query: { updateOnly: true } } })).toBe(false);
    expect(batch.canCarry({ ...plan, create: { ...plan.create, method: 'POST' } })).toBe(false);
    expect(batch.isPossible(SETTINGS)).toBe(true);
    expect(batch.isPossible({ marker: { kind: 'custom_field', field: 'Dealwright_Ref__c' } })).toBe(false);
    expect(batch.isPossible({})).toBe(false);
  });
});
