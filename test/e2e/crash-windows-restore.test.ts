import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type OwnRedis, startOwnRedis } from '../support/own-redis.ts';
import { until } from '../support/until.ts';
import { closeRows, importsOf, salesforceRows } from './import-support.ts';
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

/** What `work` does after the backup is gone from Redis, and not from the provider. */
async function forgotten(work: () => Promise<unknown>): Promise<void> {
  await redis.kill();
  const backup = await redis.copyFiles();
  await redis.start();
  const worker = await rig.worker();
  await work();
  await worker.kill();
  await redis.kill();
  await redis.putBack(backup);
  await redis.start();
  await until('the API is back', () => fetch(`${rig.api.origin}/readyz`).then(({ ok }) => ok));
}

/** A job that is queued in the backup, and written in truth. */
async function writtenAfterTheBackup(name: string): Promise<string> {
  const { body } = await rig.create(account, name);
  const id = String(body.id);
  await forgotten(async () => expect((await rig.ended(id)).status).toBe('succeeded'));
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

it('RESTORED=true: rows of an import are looked for before they are written, one by one', async () => {
  const imports = importsOf(rig);
  const name = aName('Rows');
  const id = await imports.accepted(account, closeRows(name, 3));
  await forgotten(async () => expect((await imports.ended(id)).counts.succeeded).toBe(3));
  await rig.worker({ RESTORED: 'true' });
  expect((await imports.ended(id)).counts).toMatchObject({ succeeded: 3, total: 3 });
  expect(await rig.createCalls(account, name)).toBe(3);
  expect(await rig.records(account, name)).toHaveLength(3);
});

it('RESTORED=true: rows of an import are looked for before they are written, many at once', async () => {
  const imports = importsOf(rig);
  // Its marker is verified by a worker.
  const verifier = await rig.worker();
  const salesforce = await rig.account('salesforce', {
    marker: { kind: 'external_id', field: 'Dealwright_Id__c' },
  });
  await verifier.kill();
  const name = aName('Batch');
  const id = await imports.accepted(salesforce, salesforceRows(name, 5));
  await forgotten(async () => expect((await imports.ended(id)).counts.succeeded).toBe(5));
  const before = await rig.createCalls(salesforce, name);
  expect(before).toBeGreaterThan(0);
  await rig.worker({ RESTORED: 'true' });
  expect((await imports.ended(id)).counts).toMatchObject({ succeeded: 5, total: 5 });
  // Written again by their key they would stay five, and lose what somebody changed meanwhile.
  expect(await rig.createCalls(salesforce, name)).toBe(before);
});
