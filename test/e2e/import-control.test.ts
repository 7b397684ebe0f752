import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunningProcess } from '../support/processes.ts';
import { TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { closeRows, importsOf } from './import-support.ts';
import { startReceiver } from './receiver.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

vi.setConfig({ testTimeout: 60_000 });

let rig: Rig;
let imports: ReturnType<typeof importsOf>;
let worker: RunningProcess;
let slow: Target;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  imports = importsOf(rig);
  worker = await rig.workerForAll();
  slow = await rig.account('close', { rate_limit: { requests: 20, per_seconds: 1, concurrency: 4 } });
});
afterAll(async () => {
  await worker.kill();
  await rig.close();
});

it('paused it begins nothing more; resumed it goes on where it was', async () => {
  const name = aName('Paused');
  const id = await imports.accepted(slow, closeRows(name, 60));
  await imports.reached(id, 'under way', ({ counts }) => counts.succeeded > 5);
  expect((await imports.act(id, 'pause')).body.status).toBe('paused');
  expect((await imports.act(id, 'pause')).status).toBe(200);
  const still = await imports.reached(id, 'at rest', ({ counts }) => counts.running === 0);
  expect(still.status).toBe('paused');
  expect(still.counts.queued).toBeGreaterThan(20);
  expect(await imports.act(id, 'retry-failed')).toMatchObject({ status: 409 });
  expect((await rig.ask('DELETE', `/imports/${id}`)).status).toBe(409);

  expect((await imports.act(id, 'resume')).status).toBe(200);
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({ status: 'completed', counts: { succeeded: 60 } });
  expect(await rig.records(slow, name)).toHaveLength(60);
});

it('cancelled it ends at once with what is under way; what is written stays', async () => {
  const name = aName('Cancelled');
  const id = await imports.accepted(slow, closeRows(name, 500));
  await imports.reached(id, 'under way', ({ counts }) => counts.succeeded > 3);
  expect((await imports.act(id, 'cancel')).status).toBe(200);
  const ended = await imports.ended(id);
  expect(ended.status).toBe('cancelled');
  expect(ended.counts).toMatchObject({ queued: 0, running: 0, failed: 0 });
  expect(ended.counts.succeeded + ended.counts.cancelled).toBe(500);
  expect(await rig.records(slow, name)).toHaveLength(ended.counts.succeeded);
  const statuses = (await imports.results(id)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 'cancelled')).toHaveLength(ended.counts.cancelled);
  expect(await imports.act(id, 'resume')).toMatchObject({ status: 409 });
});

it('a paused account keeps its import; cancelling it there needs no worker', async () => {
  const account = await rig.account('close');
  await rig.ask('POST', `/integrated-accounts/${account.id}/pause`);
  const id = await imports.accepted(account, closeRows(aName('Held'), 10));
  const { body } = await imports.act(id, 'cancel');
  expect(body).toMatchObject({ status: 'cancelled', counts: { cancelled: 10 } });
});

it('interactive creates of the account do not wait behind its import', async () => {
  const id = await imports.accepted(slow, closeRows(aName('Bulk'), 400));
  await imports.reached(id, 'under way', ({ counts }) => counts.succeeded > 3);
  const { body } = await rig.create(slow, aName('Urgent'));
  expect((await rig.ended(String(body.id), 8_000)).status).toBe('succeeded');
  expect((await imports.read(id)).counts.queued).toBeGreaterThan(100);
  await imports.act(id, 'cancel');
  await imports.ended(id);
});

it('events show the progress, go on from the last one seen, and end with the import', async () => {
  const id = await imports.accepted(slow, closeRows(aName('Events'), 40));
  const follow = async (headers: Record<string, string> = {}) => {
    const answer = await fetch(`${rig.api.origin}/imports/${id}/events`, {
      headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, ...headers },
      signal: AbortSignal.timeout(30_000),
    });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    return (await answer.text()).split('\n\n').flatMap((block) => {
      const [, event, revision, data] = /^event: (\w+)\nid: (\d+)\ndata: (.*)$/.exec(block) ?? [];
      return data === undefined ? [] : [{ event, revision: Number(revision), data: JSON.parse(data) }];
    });
  };
  const events = await follow();
  expect(events.length).toBeGreaterThan(3);
  expect(events.at(-1)).toMatchObject({ event: 'end', data: { status: 'completed' } });
  const revisions = events.slice(0, -1).map(({ revision }) => revision);
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  const again = await follow({ 'last-event-id': String(events.at(-1)?.revision) });
  expect(again.map(({ event }) => event)).toEqual(['progress', 'end']);
});

it('`wait` answers when it has ended', async () => {
  const id = await imports.accepted(slow, closeRows(aName('Waited'), 20));
  const { body } = await rig.ask('GET', `/imports/${id}?wait=9`);
  expect(body.status).toBe('completed');
  const listed = await rig.ask('GET', `/imports?integrated_account_id=${slow.id}&limit=2`);
  expect((listed.body.data as { id: string }[])[0]?.id).toBe(id);
  expect(listed.body.next_cursor).not.toBeNull();
});

it('webhooks tell of the end of an import, and of its rows only where it was asked', async () => {
  await using receiver = await startReceiver();
  const endpoint = await rig.ask('POST', '/webhook-endpoints', { url: receiver.url, events: ['*'] });
  expect(endpoint.status).toBe(201);
  const quiet = await imports.accepted(slow, closeRows(aName('Quiet'), 3));
  const loud = await imports.accepted(slow, closeRows(aName('Loud'), 3), { query: '&row_events=true' });
  await imports.ended(quiet);
  await imports.ended(loud);
  const told = () => receiver.bodies;
  await until(
    'both ends were told',
    () => told().filter(({ type }) => type === 'import.completed').length === 2,
  );
  await until('the rows were told', () => told().filter(({ type }) => type === 'job.succeeded').length === 3);
  expect(told().find(({ data }) => data.id === quiet)?.data.results_url).toBe(`/imports/${quiet}/results`);
  const rows = told().filter(({ type }) => type.startsWith('job.'));
  expect(rows.every(({ data }) => data.import_id === loud)).toBe(true);
});

it('a row that fails, is retried, fails again and is written at last tells each, the later with the higher sequence', async () => {
  await using receiver = await startReceiver();
  const hook = { url: receiver.url, events: ['job.failed', 'job.succeeded'] };
  const { body: endpoint } = await rig.ask('POST', '/webhook-endpoints', hook);
  await rig.fault(slow, { kind: 'status', status: 403, times: 2 });
  const id = await imports.accepted(slow, closeRows(aName('Again'), 1), { query: '&row_events=true' });
  const told = () =>
    receiver.bodies
      .filter(({ data }) => data.import_id === id)
      .map(({ type, data }) => [type, data.sequence]);
  for (const ends of [1, 2]) {
    await imports.ended(id);
    await until('its failure was told', () => told().length === ends);
    expect((await imports.act(id, 'retry-failed')).status).toBe(200);
  }
  await imports.ended(id);
  await until('its end was told', () => told().length === 3);
  expect(told().map(([type]) => type)).toEqual(['job.failed', 'job.failed', 'job.succeeded']);
  const [first, second, third] = told().map(([, sequence]) => Number(sequence));
  expect(second).toBeGreaterThan(Number(first));
  expect(third).toBeGreaterThan(Number(second));
  const jobs = await rig.ask('GET', `/jobs?import_id=${id}`);
  expect(jobs.body.data).toMatchObject([{ status: 'succeeded', sequence: third }]);
  await rig.ask('DELETE', `/webhook-endpoints/${endpoint.id}`);
});

it("another workspace's imports do not exist", async () => {
  const id = await imports.accepted(slow, closeRows(aName('Foreign'), 1));
  const answer = await rig.ask('GET', `/imports/${id}`, undefined, { 'x-workspace': 'elsewhere' });
  expect(answer.status).toBe(404);
  await imports.ended(id);
});

it('an account is deleted together with its imports', async () => {
  const account = await rig.account('close', { rate_limit: { requests: 5, per_seconds: 1, concurrency: 1 } });
  const id = await imports.accepted(account, closeRows(aName('Deleted'), 100));
  await imports.reached(id, 'under way', ({ counts }) => counts.succeeded > 0);
  expect(await rig.ask('DELETE', `/integrated-accounts/${account.id}`)).toMatchObject({ status: 409 });
  expect((await rig.ask('DELETE', `/integrated-accounts/${account.id}?cancel=true`)).status).toBeLessThan(
    300,
  );
  expect((await imports.ended(id)).status).toBe('cancelled');
  await until(
    'the account is gone',
    async () => (await rig.ask('GET', `/integrated-accounts/${account.id}`)).status === 404,
  );
});

it('a stopping API lets those go who follow an import; they go on at another from the event they have', async () => {
  const stopping = await rig.anotherApi();
  const id = await imports.accepted(slow, closeRows(aName('Restart'), 160));
  const follow = (at: { origin: string }, headers = {}) =>
    fetch(`${at.origin}/imports/${id}/events`, {
      headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, ...headers },
      signal: AbortSignal.timeout(30_000),
    });
  const answer = await follow(stopping);
  await imports.reached(id, 'under way', ({ counts }) => counts.succeeded > 0);
  const [text] = await Promise.all([answer.text(), stopping.stop()]);
  const revisions = [...text.matchAll(/^id: (\d+)$/gm)].map(([, revision]) => Number(revision));
  expect(revisions.length).toBeGreaterThan(0);
  expect(text).not.toContain('event: end');
  const rest = await (await follow(rig.api, { 'last-event-id': String(revisions.at(-1)) })).text();
  const [next] = [...rest.matchAll(/^id: (\d+)$/gm)].map(([, revision]) => Number(revision));
  expect(next).toBeGreaterThan(revisions.at(-1) ?? 0);
  expect(rest).toContain('event: end');
});
