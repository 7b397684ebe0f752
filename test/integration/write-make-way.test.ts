import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { aName, HASTY, type Rig, startRig } from './write-rig.ts';

/** One message in hand, one call every 477 ms: bulk work that waits in place for its turn holds the only one there is. */
const SLOW = { ...HASTY, rate_limit: { requests: 21, per_seconds: 10, concurrency: 1 } };
const ROUNDS = 4;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ workers: 1 });
});
afterAll(() => rig?.close());

it('a single create takes the message and the turn of bulk work that waits in place', async () => {
  const account = await rig.connect('close', SLOW);
  // The account's live values are read before.
  await rig.settled(await rig.submit(account, { name: aName('First') }));
  const name = aName('Beside');
  const importId = randomUUID();
  for (let i = 0; i < 4 * ROUNDS; i++) await rig.submit(account, { name: `${name} row` }, {}, { importId });
  const arrived = async () =>
    (await rig.creates('close', name)).map(({ body }) => body?.includes('row') === true);

  let passed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = (await arrived()).length;
    await until('another row has left', async () => (await arrived()).length > before);
    const from = (await arrived()).length;
    await rig.submit(account, { name: `${name} single` });
    const since = await until('the single create has left', async () => {
      const later = (await arrived()).slice(from);
      return later.includes(false) ? later.slice(0, later.indexOf(false)) : undefined;
    });
    passed += since.filter((isRow) => isRow).length;
  }
  // Not asked to make way, a row leaves before each of them; a busy machine may be too late for one.
  expect(passed).toBeLessThanOrEqual(1);
});
