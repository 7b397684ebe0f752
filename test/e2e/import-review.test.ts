import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImportView } from '../../shared/contract/import-view.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { closeRows, importsOf, salesforceRows } from './import-support.ts';
import { aName, BY_KEY, type Rig, startRig } from './rig.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Rows whose outcome nobody knows, and what becomes of the counts when somebody does. */
let rig: Rig;
let imports: ReturnType<typeof importsOf>;

/** Close's look-ups of a lost create, and nothing else of it. */
const LOOKS = { method: 'GET', path: '/event/' };

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  imports = importsOf(rig);
});
afterAll(() => rig.close());

const sumOf = ({ counts: { total: _, ...others } }: ImportView) =>
  Object.values(others).reduce((sum, count) => sum + count, 0);

/** Ids of the row jobs in review, the first row first. */
async function inReview(id: string): Promise<string[]> {
  const listed = await rig.ask('GET', `/jobs?import_id=${id}&status=needs_review`);
  return (listed.body.data as { id: string }[]).map((job) => job.id).reverse();
}

async function noFaults(provider: string): Promise<void> {
  const answer = await fetch(`${rig.sandbox.origin}/_control/faults?provider=${provider}`, {
    method: 'DELETE',
  });
  expect(answer.ok).toBe(true);
}

it('rows in review stay out of a retry, and a person’s words bring each to its end and into the counts', async () => {
  await rig.worker();
  const account = await rig.account('close');
  const name = aName('Review');
  await rig.fault(account, { kind: 'reset_after_commit', times: 2 });
  await rig.control('faults', { provider: 'close', kind: 'status', status: 403, times: -1, match: LOOKS });
  const id = await imports.accepted(account, closeRows(name, 6));
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({
    status: 'completed',
    counts: { total: 6, queued: 0, running: 0, succeeded: 4, needs_review: 2 },
  });
  await noFaults('close');
  expect(await imports.results(id, 'status=needs_review')).toHaveLength(2);
  expect((await imports.act(id, 'retry-failed')).status).toBe(409);
  // Somebody has to decide, however long it takes.
  expect(await rig.redis.pttl(rig.keys.import(rig.partitionOf(account), id))).toBe(-1);

  const [written, unwritten] = await inReview(id);
  const known = new Set((await imports.results(id)).flatMap(({ remote_id }) => remote_id ?? []));
  const lost = ((await rig.records(account, name)) as { id: string }[]).filter(
    (record) => !known.has(record.id),
  );
  expect(lost).toHaveLength(2);
  const adopted = await rig.ask('POST', `/jobs/${written}/resolve`, { remote_id: lost[0]?.id });
  expect(adopted).toMatchObject({ status: 200, body: { status: 'succeeded' } });
  const first = await imports.reached(id, 'decided once', ({ counts }) => counts.succeeded === 5);
  expect([first.counts.needs_review, sumOf(first)]).toEqual([1, 6]);

  expect((await rig.ask('POST', `/jobs/${unwritten}/resolve`, { not_created: true })).status).toBe(200);
  const second = await imports.reached(id, 'decided', ({ counts }) => counts.succeeded === 6);
  expect([second.counts.needs_review, sumOf(second)]).toEqual([0, 6]);
  expect(await imports.ended(id)).toMatchObject({ status: 'completed', counts: { succeeded: 6 } });
  expect(await rig.redis.pttl(rig.keys.import(rig.partitionOf(account), id))).toBeGreaterThan(0);
  const ids = (await imports.results(id)).map(({ remote_id }) => remote_id);
  expect(new Set(ids).size).toBe(6);
  expect(ids).toContain(lost[0]?.id);
  // "Not created" was that person's word, and was done as it says.
  expect(await rig.records(account, name)).toHaveLength(7);
});

it('a row of a batch that nobody could look for goes by a person’s word, and not with a batch again', async () => {
  await rig.worker();
  const account = await rig.account('salesforce', { marker: BY_KEY });
  // Its live values are known from here on.
  await imports.ended(await imports.accepted(account, salesforceRows(aName('Before'), 1)));
  const name = aName('Batch');
  const path = '/composite/sobjects/Opportunity/Dealwright_Id__c';
  await rig.control('faults', {
    provider: 'salesforce',
    kind: 'reset_before_commit',
    times: 1,
    match: { path },
  });
  const denied = [{ errorCode: 'INSUFFICIENT_ACCESS_OR_READONLY', message: 'insufficient access rights' }];
  const refuse = { provider: 'salesforce', kind: 'status', status: 403, body: denied, times: -1 };
  await rig.control('faults', { ...refuse, match: { method: 'POST', path: '/\\/composite$/' } });
  await rig.control('faults', {
    ...refuse,
    match: { method: 'GET', path: '/sobjects/Opportunity/Dealwright_Id__c' },
  });
  const id = await imports.accepted(account, salesforceRows(name, 2));
  const ended = await imports.ended(id);
  expect(ended.counts).toMatchObject({ needs_review: 2 });
  await noFaults('salesforce');

  // A record that somebody has made by hand stands for the first row.
  const byHand = await rig.account('salesforce', {});
  const { body } = await rig.create(byHand, aName('By hand'));
  const remoteId = (await rig.ended(String(body.id))).result?.id;
  const [first, second] = await inReview(id);
  expect((await rig.ask('POST', `/jobs/${first}/resolve`, { remote_id: remoteId })).status).toBe(200);
  expect((await rig.ask('POST', `/jobs/${second}/resolve`, { not_created: true })).status).toBe(200);
  await imports.reached(id, 'decided', ({ counts }) => counts.succeeded === 2);
  const [one, two] = await imports.results(id);
  expect(one?.remote_id).toBe(remoteId);
  expect(two?.remote_id).not.toBe(remoteId);
  expect(await rig.records(account, name)).toHaveLength(1);
});

describe('a lost batch, whose account is asked to sign in again before it is looked for', () => {
  const SESSION = [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }];
  const OTHER_USER = 'https://login.salesforce.com/id/00D000000000009AAA/005000000000009AAA';

  /** @returns once the account is held, the lost call and nothing else having gone out. */
  async function lostAndHeld() {
    await rig.worker();
    const account = await rig.account('salesforce', { marker: BY_KEY });
    // Its live values are known from here on: the send keeps who it was made by.
    await imports.ended(await imports.accepted(account, salesforceRows(aName('Before'), 1)));
    const name = aName('Reauth');
    const fault = (more: object) => rig.control('faults', { provider: 'salesforce', times: -1, ...more });
    const batch = { path: '/composite/sobjects/Opportunity/Dealwright_Id__c' };
    await fault({ kind: 'reset_before_commit', times: 1, match: batch });
    const look = { method: 'POST', path: '/\\/composite$/' };
    await fault({ kind: 'status', status: 401, body: SESSION, match: look });
    const grant = { error: 'invalid_grant', error_description: 'expired access/refresh token' };
    await fault({ kind: 'status', status: 400, body: grant, match: { path: '/services/oauth2/token' } });
    const id = await imports.accepted(account, salesforceRows(name, 3));
    await until('the account is held', async () => {
      const { body } = await rig.ask('GET', `/integrated-accounts/${account.id}`);
      return body.status === 'needs_reauth';
    });
    const signIn = async () => {
      const credentials = rig.credentials('salesforce');
      const path = `/integrated-accounts/${account.id}/credentials`;
      expect((await rig.ask('PUT', path, { credentials })).status).toBe(200);
    };
    return { account, name, id, signIn };
  }

  it('goes on as one when the same user has signed in', async () => {
    const { account, name, id, signIn } = await lostAndHeld();
    await noFaults('salesforce');
    await signIn();
    expect((await imports.ended(id)).counts).toMatchObject({ succeeded: 3 });
    expect(await rig.createCalls(account, name)).toBe(2);
    expect(await rig.records(account, name)).toHaveLength(3);
  });

  it('is not sent again as another user of another organisation: a person is asked for each row', async () => {
    const { account, name, id, signIn } = await lostAndHeld();
    await noFaults('salesforce');
    const resources = { provider: 'salesforce', kind: 'status', status: 200, times: -1 };
    const match = { method: 'GET', path: '/\\/services\\/data\\/v[0-9.]+\\/?$/' };
    await rig.control('faults', { ...resources, body: { identity: OTHER_USER }, match });
    await signIn();
    const ended = await imports.ended(id);
    await noFaults('salesforce');
    expect(ended.counts).toMatchObject({ needs_review: 3 });
    expect(await rig.createCalls(account, name)).toBe(1);
    expect(await rig.records(account, name)).toEqual([]);
  });
});

it('an answer that comes after its row had its result changes that result, and the counts with it', async () => {
  const account = await rig.account('close');
  const name = aName('Late');
  await rig.control('faults', { provider: 'close', kind: 'status', status: 403, times: -1, match: LOOKS });
  const proxy = await rig.proxy();
  const slow = await rig.worker({}, proxy);
  const held = proxy.hold({ script: 'leave-and-move', having: ['"to":"succeeded"'], when: 'before' });
  const id = await imports.accepted(account, closeRows(name, 1));
  await held.reached;
  // The record is there; the worker that knows it stands still, and another one finds nothing out.
  process.kill(-slow.child.pid, 'SIGSTOP');
  await rig.worker();
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({ status: 'completed', counts: { needs_review: 1, succeeded: 0 } });
  held.release();
  process.kill(-slow.child.pid, 'SIGCONT');
  const told = await imports.reached(id, 'told', ({ counts }) => counts.succeeded === 1);
  expect([told.counts.needs_review, sumOf(told)]).toEqual([0, 1]);
  expect((await imports.ended(id)).status).toBe('completed');
  const [row] = await imports.results(id);
  const [record] = (await rig.records(account, name)) as { id: string }[];
  expect(row).toMatchObject({ status: 'succeeded', remote_id: record?.id });
  expect(await rig.records(account, name)).toHaveLength(1);
  await until(
    'nothing of it is open',
    async () => (await rig.redis.zcard(rig.keys.open(rig.partitionOf(account)))) === 0,
  );
  await noFaults('close');
  await slow.kill();
});

it('a create in doubt does not take the record of a row that has ended, whose claim rests packed', async () => {
  await rig.worker();
  const account = await rig.account('salesforce', { reconcile: { settle_ms: 4_000, probes: 2 } });
  const name = aName('Alike');
  const match = { method: 'POST', path: '/sobjects/Opportunity' };
  await rig.fault(account, { kind: 'reset_before_commit', times: 1, match });
  const { body } = await rig.create(account, name);
  await until(
    'the create is in doubt',
    async () => (await rig.job(String(body.id))).wait_reason === 'reconciling',
  );
  const row = JSON.stringify({ name, stage: { name: 'Prospecting' }, close_date: '2027-03-31' });
  const ended = await imports.ended(await imports.accepted(account, row));
  expect(ended).toMatchObject({ strategy: 'single', counts: { succeeded: 1 } });
  const [written] = await imports.results(ended.id);
  expect(await rig.records(account, name)).toHaveLength(1);
  const claims = () => rig.redis.keys(`${rig.prefix}:*:claim:${account.id}:*`);
  expect(await claims()).toEqual([]);
  expect(await rig.redis.keys(`${rig.prefix}:*:claims:${account.id}:*`)).toHaveLength(1);

  const job = await rig.ended(String(body.id), 30_000);
  expect(job.status).toBe('succeeded');
  expect(job.result?.id).not.toBe(written?.remote_id);
  expect(await rig.records(account, name)).toHaveLength(2);
  expect(await claims()).toHaveLength(1);
});
