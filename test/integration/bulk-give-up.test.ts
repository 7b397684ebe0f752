import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import type { ImportRecord } from '../../shared/domain/import.ts';
import { createPartitionedId } from '../../shared/ids.ts';
import { createImportBulkStore } from '../../shared/stores/import-bulk-store.ts';
import { workBulk } from '../../worker/run-import/work-bulk.ts';
import { aTestRedis, silentLogger } from '../support/redis.ts';
import { until } from '../support/until.ts';

type BulkRun = Parameters<typeof workBulk>[0];

const FIELD = 'Dealwright_Id__c';

/** An import whose rows were named as those of a bulk job; its provider answers when it is told to. */
async function anImport(options: { createdAtMs?: number; epochAtMs?: number } = {}) {
  const { redis, keys } = await aTestRedis();
  const bulks = createImportBulkStore({ redis, keys, clock: systemClock });
  const id = createPartitionedId(0, Date.now());
  const { createdAtMs = Date.now(), epochAtMs } = options;
  const record = { id, account: randomUUID(), createdAtMs, status: 'running' } as unknown as ImportRecord;
  await redis.hset(keys.import(0, id), 'status', 'running');
  await bulks.begin(record, { first: 1, last: 3, rows: 3, keyField: FIELD });
  const opened = Promise.withResolvers<void>();
  const freed = Promise.withResolvers<void>();
  const calls: string[] = [];
  const call = (what: string, value: unknown) => async () => {
    calls.push(what);
    if (what === 'open') await opened.promise;
    return { ok: true, value };
  };
  const run = {
    deps: {
      bulks,
      clock: systemClock,
      logger: silentLogger,
      random: Math.random,
      caller: () => async () => undefined,
      epoch: () => ({ number: epochAtMs === undefined ? 0 : 1, atMs: epochAtMs ?? 0 }),
      rows: {
        underWay: async () => {
          // As long as twenty thousand keys take to be freed.
          await freed.promise;
          return [];
        },
        chunk: async () => [],
        results: async () => ({ results: new Map(), again: new Map() }),
        statuses: async () => [],
      },
    },
    record,
    account: { id: record.account, settings: { marker: { kind: 'external_id', field: FIELD } } },
    client: {
      open: call('open', 'job-1'),
      upload: call('upload', undefined),
      close: call('close', undefined),
      abort: call('abort', undefined),
    },
    signal: new AbortController().signal,
  } as unknown as BulkRun;
  const found = async () => {
    const bulk = await bulks.find(record);
    if (!bulk) throw new Error('there is no bulk job');
    return bulk;
  };
  const stop = () => redis.hset(keys.import(0, id), 'stop', 'cancelled');
  return { run, record, bulks, found, calls, opened, freed, stop };
}

it('a bulk job that is given up while another run opens it is neither filled nor closed', async () => {
  const { run, record, bulks, found, calls, opened, freed, stop } = await anImport();
  const bulk = await found();
  const atWork = workBulk(run, bulk, false);
  await until('the job is being opened', () => calls.includes('open'));
  await stop();
  const stopping = workBulk({ ...run, record: { ...record, stop: 'cancelled' } as ImportRecord }, bulk, true);
  await until('it is being given up', async () => (await found()).progress?.step === 'giving_up');
  opened.resolve();
  await atWork;
  freed.resolve();
  await stopping;
  expect(calls).toEqual(['open']);
  expect(await bulks.find(record)).toBeUndefined();
});

it('a bulk job makes no further step before its file is there when its import was stopped', async () => {
  const { run, found, calls, opened, stop } = await anImport();
  const atWork = workBulk(run, await found(), false);
  await until('the job is being opened', () => calls.includes('open'));
  await stop();
  opened.resolve();
  await atWork;
  expect(calls).toEqual(['open']);
});

it('what a worker began to give up is given up by the next one', async () => {
  const { run, record, bulks, found, calls, freed } = await anImport();
  freed.resolve();
  await bulks.save(record, await found(), { progress: { step: 'giving_up', jobId: 'job-7' } });
  await workBulk(run, await found(), true);
  expect(calls).toEqual(['abort']);
  expect(await bulks.find(record)).toBeUndefined();
});

it('a bulk job of before a restore is not sent again: its rows are looked for', async () => {
  const now = Date.now();
  const { run, record, bulks, found, calls } = await anImport({ createdAtMs: now - 10, epochAtMs: now });
  await bulks.save(record, await found(), { progress: { step: 'uploading', jobId: 'job-7' } });
  await workBulk(run, await found(), false);
  expect(calls).toEqual(['abort']);
  expect(await found()).toMatchObject({ left: 'doubted', progress: undefined });
});
