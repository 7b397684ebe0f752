import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { closeRows, importsOf, salesforceRows } from './import-support.ts';
import { aName, BY_KEY, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 120_000 });

/** A process dies with SIGKILL somewhere in an import: no row is lost, and none is written twice. */
let rig: Rig;
let imports: ReturnType<typeof importsOf>;
let account: Target;
let keyed: Target;

const HASTY_UPLOADS = { IMPORT_IDLE_MS: '1500' };

beforeAll(async () => {
  rig = await startRig(testRedisUrl(), HASTY_UPLOADS);
  imports = importsOf(rig);
  account = await rig.account('close');
  // A worker reads whether the field of the marker will do.
  const checking = await rig.workerForAll();
  keyed = await rig.account('salesforce', { marker: BY_KEY });
  await checking.stop();
});
afterAll(() => rig.close());

const importKeys = () => rig.redis.keys(`${rig.prefix}:*import*`);

/** Every row has its own record, and its result names it. */
async function expectEachOnce(id: string, target: Target, name: string, rows: number): Promise<void> {
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({ status: 'completed', counts: { total: rows, succeeded: rows } });
  const written = (await imports.results(id)).map(({ remote_id }) => remote_id);
  expect(new Set(written).size).toBe(rows);
  expect(await rig.records(target, name)).toHaveLength(rows);
}

it('the API dies in the middle of an upload: nothing of it stays, and its key is free again', async () => {
  const proxy = await rig.proxy();
  const victim = await rig.anotherApi(HASTY_UPLOADS, proxy);
  const [name, key] = [aName('Broken'), aName('key')];
  const rows = closeRows(name, 700);
  const headers = { 'idempotency-key': key };
  const held = proxy.hold({ script: 'import-chunk', when: 'after', nth: 2 });
  const answer = imports.upload(account, rows, { headers, at: victim }).catch(() => 'no answer');
  await held.reached;
  await victim.kill();
  expect(await answer).toBe('no answer');
  // Somebody may still be sending it.
  expect((await imports.upload(account, rows, { headers })).status).toBe(409);

  await rig.worker(HASTY_UPLOADS);
  await until('the upload was given up', async () => (await importKeys()).length === 0);
  const again = await imports.upload(account, rows, { headers });
  expect(again.status).toBe(202);
  await imports.act(String(again.body.id), 'cancel');
  await imports.ended(String(again.body.id));
});

it('the API dies over an upload it gives up: a repeat of the key finishes that, and is taken', async () => {
  const proxy = await rig.proxy();
  const victim = await rig.anotherApi(HASTY_UPLOADS, proxy);
  const headers = { 'idempotency-key': aName('key') };
  const held = proxy.hold({ script: 'import-give-up', when: 'after' });
  // Cut off in a string: the whole is refused, what came of it was stored before.
  const broken = `${closeRows(aName('Cut'), 450)}\n`.replaceAll('\n', ',');
  const cut = { headers, type: 'application/json', at: victim };
  const answer = imports.upload(account, `[${broken}{"name":"`, cut).catch(() => 'no answer');
  await held.reached;
  await victim.kill();
  expect(await answer).toBe('no answer');

  const name = aName('Whole');
  const whole = `[${closeRows(name, 5).replaceAll('\n', ',')}]`;
  const again = await imports.upload(account, whole, { headers, type: 'application/json' });
  expect(again.status).toBe(202);
  await rig.worker(HASTY_UPLOADS);
  await expectEachOnce(String(again.body.id), account, name, 5);
});

it('a client that goes away in the middle of its upload leaves nothing', async () => {
  const gone = new AbortController();
  let sent = 0;
  const rows = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1;
      if (sent > 8) gone.abort();
      else controller.enqueue(new TextEncoder().encode(`${closeRows(aName('Gone'), 100)}\n`));
    },
  });
  const before = (await importKeys()).length;
  const upload = fetch(`${rig.api.origin}/imports?integrated_account_id=${account.id}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, 'content-type': 'application/x-ndjson' },
    body: rows,
    duplex: 'half',
    signal: gone.signal,
  });
  await expect(upload).rejects.toThrow();
  await until('nothing of it is left', async () => (await importKeys()).length <= before);
});

it('rows that trickle in for longer than an upload may stand still are taken', async () => {
  await rig.worker(HASTY_UPLOADS);
  const name = aName('Slow');
  const lines = closeRows(name, 8).split('\n');
  const rows = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const line = lines.shift();
      if (line === undefined) return controller.close();
      controller.enqueue(new TextEncoder().encode(`${line}\n`));
      await pause(350);
    },
  });
  const answer = await fetch(`${rig.api.origin}/imports?integrated_account_id=${account.id}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, 'content-type': 'application/x-ndjson' },
    body: rows,
    duplex: 'half',
  });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  await expectEachOnce(id, account, name, 8);
});

it('the API dies after the commit, before the feeder is queued: the sweep queues it', async () => {
  const proxy = await rig.proxy();
  const victim = await rig.anotherApi(HASTY_UPLOADS, proxy);
  const [name, key] = [aName('Unfed'), aName('key')];
  const headers = { 'idempotency-key': key };
  const held = proxy.hold({ script: 'import-commit', when: 'after' });
  const answer = imports
    .upload(account, closeRows(name, 30), { headers, at: victim })
    .catch(() => 'no answer');
  await held.reached;
  await victim.kill();
  expect(await answer).toBe('no answer');
  const listed = await rig.ask('GET', `/imports?integrated_account_id=${account.id}&limit=1`);
  const [found] = listed.body.data as { id: string; status: string }[];
  expect(found?.status).toBe('queued');

  await rig.worker(HASTY_UPLOADS);
  await expectEachOnce(String(found?.id), account, name, 30);
  const again = await imports.upload(account, closeRows(name, 30), { headers });
  expect(again.body.id).toBe(found?.id);
  expect(await rig.records(account, name)).toHaveLength(30);
});

it.each([
  ['rows became jobs that are not queued yet', { script: 'import-materialise', when: 'after', nth: 5 }],
  ['a row was written and its result is not', { script: 'import-settle', when: 'before', nth: 3 }],
  ['a row has its result and nobody knows', { script: 'import-settle', when: 'after', nth: 3 }],
  [
    'the attempt of a row has begun and nothing was sent',
    { script: 'enter-and-start', when: 'after', nth: 4 },
  ],
] as const)('the worker dies when %s', async (_, stop) => {
  const proxy = await rig.proxy();
  const victim = await rig.worker(HASTY_UPLOADS, proxy);
  const held = proxy.hold(stop);
  const name = aName('Killed');
  const id = await imports.accepted(account, closeRows(name, 40));
  await held.reached;
  await victim.kill();
  await rig.worker(HASTY_UPLOADS);
  await expectEachOnce(id, account, name, 40);
});

it.each([
  ['has named the rows of a batch and sent nothing', { script: 'enter-and-batch', when: 'after' }],
  ['has named the rows of two batches', { script: 'enter-and-batch', when: 'after', nth: 2 }],
  ['has its answer and stored none of it', { script: 'import-settle-rows', when: 'before' }],
  ['has stored the results of one batch of several', { script: 'import-settle-rows', when: 'after' }],
] as const)('the worker dies when it %s', async (_, stop) => {
  const proxy = await rig.proxy();
  const victim = await rig.worker(HASTY_UPLOADS, proxy);
  const held = proxy.hold(stop);
  const name = aName('Batch');
  const id = await imports.accepted(keyed, salesforceRows(name, 650));
  await held.reached;
  await victim.kill();
  await rig.worker(HASTY_UPLOADS);
  await expectEachOnce(id, keyed, name, 650);
});

it('workers that die one after the other write every row once', async () => {
  const name = aName('Dying');
  const id = await imports.accepted(account, closeRows(name, 150));
  for (const reached of [10, 50]) {
    const victim = await rig.worker(HASTY_UPLOADS);
    await imports.reached(id, `at ${reached}`, ({ counts }) => counts.succeeded >= reached);
    await victim.kill();
  }
  await rig.worker(HASTY_UPLOADS);
  await expectEachOnce(id, account, name, 150);
});
