import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { testRedisUrl } from '../support/redis.ts';
import type { Stop } from '../support/redis-proxy.ts';
import { importsOf, salesforceRows } from './import-support.ts';
import { aName, BY_KEY, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 120_000 });

/** A worker dies with SIGKILL at each step of a bulk job: no row is lost, and none is written twice. */
let rig: Rig;
let imports: ReturnType<typeof importsOf>;
let account: Target;

const ROWS = 450;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  imports = importsOf(rig);
  const checking = await rig.workerForAll();
  account = await rig.account('salesforce', { marker: BY_KEY });
  await checking.stop();
  await rig.control('limits', { provider: 'salesforce', bulk_delay_ms: 50 });
});
afterAll(() => rig.close());

const saved = (step: string, when: Stop['when']): Stop => ({
  script: 'import-bulk',
  having: [`"step":"${step}"`],
  when,
});

it.each<[string, Stop]>([
  ['has named the rows and opened nothing', { script: 'import-bulk', having: [' begin '], when: 'after' }],
  ['has opened a job and not stored which', saved('opened', 'before')],
  ['is about to upload', saved('uploading', 'after')],
  ['has uploaded and not stored that', saved('uploaded', 'before')],
  ['is about to close the job', saved('uploaded', 'after')],
  ['has closed the job and not stored that', saved('closed', 'before')],
  ['waits for the job', saved('closed', 'after')],
  ['knows that the job is done', saved('done', 'after')],
  ['has the results and stored none', { script: 'import-settle-rows', when: 'before' }],
  ['has stored some of the results', { script: 'import-settle-rows', when: 'after', nth: 2 }],
  ['has stored every result', { script: 'import-bulk', having: [' drop '], when: 'before' }],
])('the worker dies when it %s', async (_, stop) => {
  const proxy = await rig.proxy();
  const victim = await rig.worker({}, proxy);
  const held = proxy.hold(stop);
  const name = aName('Bulk');
  const id = await imports.accepted(account, salesforceRows(name, ROWS), { query: '&strategy=bulk' });
  await held.reached;
  await victim.kill();
  const during = (await imports.read(id)).counts;
  expect(during.queued + during.running + during.succeeded).toBe(ROWS);
  await rig.worker();
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({
    status: 'completed',
    strategy: 'bulk',
    counts: { total: ROWS, queued: 0, running: 0, succeeded: ROWS },
  });
  const written = (await imports.results(id)).map(({ remote_id }) => remote_id);
  expect(new Set(written).size).toBe(ROWS);
  expect(await rig.records(account, name)).toHaveLength(ROWS);
});

it('workers that die one after the other end what the first one began', async () => {
  const name = aName('Dying');
  const id = await imports.accepted(account, salesforceRows(name, ROWS), { query: '&strategy=bulk' });
  for (const stop of [saved('opened', 'after'), saved('uploading', 'after'), saved('closed', 'after')]) {
    const proxy = await rig.proxy();
    const victim = await rig.worker({}, proxy);
    await proxy.hold(stop).reached;
    await victim.kill();
  }
  await rig.worker();
  expect((await imports.ended(id)).counts).toMatchObject({ succeeded: ROWS, failed: 0 });
  expect(await rig.records(account, name)).toHaveLength(ROWS);
});
