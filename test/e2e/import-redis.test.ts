import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { until } from '../support/until.ts';
import { closeRows, importsOf } from './import-support.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 120_000 });

let redis: OwnRedis;
let rig: Rig;
let imports: ReturnType<typeof importsOf>;
let account: Target;

beforeAll(async () => {
  redis = await startOwnRedis();
  rig = await startRig(redis.url);
  imports = importsOf(rig);
  account = await rig.account('close');
});
afterAll(async () => {
  await rig?.close();
  await redis?.[Symbol.asyncDispose]();
});

it('Redis dies in the middle of an import: every row is written once all the same', async () => {
  await rig.worker();
  const name = aName('Outage');
  const id = await imports.accepted(account, closeRows(name, 200));
  await imports.reached(id, 'under way', ({ counts }) => counts.succeeded > 20);
  await redis.kill();
  const refused = await imports.upload(account, closeRows(aName('Refused'), 3));
  expect(refused).toMatchObject({ status: 503, body: { retryable: true } });
  await redis.start();
  await until('the API is back', async () => (await rig.ask('GET', `/imports/${id}`)).status === 200);
  const ended = await imports.ended(id);
  expect(ended).toMatchObject({ status: 'completed', counts: { total: 200, succeeded: 200 } });
  expect(await rig.records(account, name)).toHaveLength(200);
});

it('an import beyond the limits is refused, and nothing of it stays', async () => {
  const small = await rig.anotherApi({ IMPORT_MAX_ROWS: '450' });
  const before = (await rig.redis.keys(`${rig.prefix}:*import*`)).length;
  const answer = await imports.upload(account, closeRows(aName('Large'), 451), { at: small });
  expect(answer).toMatchObject({ status: 413, body: { code: 'import_too_large' } });
  expect(await rig.redis.keys(`${rig.prefix}:*import*`)).toHaveLength(before);
});
