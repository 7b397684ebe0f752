import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { until } from '../support/until.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 60_000 });

/** Redis is restored from a backup that is older than what the providers hold. */
let redis: OwnRedis;
let rig: Rig;
let account: Target;

beforeEach(async () => {
  redis = await startOwnRedis();
  rig = await startRig(redis.url);
  account = await rig.account('close');
});
afterEach(async () => {
  await rig?.close();
  await redis?.[Symbol.asyncDispose]();
});

/** A job that is queued in the backup, and written in truth. */
async function writtenAfterTheBackup(name: string): Promise<string> {
  const { body } = await rig.create(account, name);
  const id = String(body.id);
  await redis.kill();
  const backup = await redis.copyFiles();
  await redis.start();
  const worker = await rig.worker();
  expect((await rig.ended(id)).status).toBe('succeeded');
  await worker.kill();
  await redis.kill();
  await redis.putBack(backup);
  await redis.start();
  await until('the API is back', () => fetch(`${rig.api.origin}/readyz`).then(({ ok }) => ok));
  expect((await rig.job(id)).status).toBe('queued');
  return id;
}

it('RESTORED=true: every open job asks the provider first, and finds what was written', async () => {
  const name = aName('Restored');
  const id = await writtenAfterTheBackup(name);
  await rig.worker({ RESTORED: 'true' });
  expect((await rig.ended(id)).status).toBe('succeeded');
  expect(await rig.createCalls(account, name)).toBe(1);
});

it('without it the worker cannot know, and writes again: the repair is what prevents that', async () => {
  const name = aName('Not told');
  const id = await writtenAfterTheBackup(name);
  await rig.worker();
  expect((await rig.ended(id)).status).toBe('succeeded');
  expect(await rig.createCalls(account, name)).toBe(2);
});
