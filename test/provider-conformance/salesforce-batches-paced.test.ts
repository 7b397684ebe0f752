import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { advanceBulk, type BulkProgress } from '../../shared/providers/bulk-steps.ts';
import { createCaller } from '../../shared/providers/caller.ts';
import { createGate } from '../../shared/providers/gate.ts';
import { createPlaces } from '../../shared/providers/places.ts';
import type { Call } from '../../shared/providers/port.ts';
import { createProviderClock } from '../../shared/providers/provider-clock.ts';
import { salesforceBatch } from '../../shared/providers/salesforce/batch.ts';
import { salesforceBulk as client } from '../../shared/providers/salesforce/bulk.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { aTestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { rowsOf, SETTINGS, useBatchRig } from './salesforce-batch-rig.ts';

const rig = useBatchRig();
const INTERVAL_MS = 100;
/** A pace of ten a second has a burst of one: two percent, but never none. */
const BURST = 1;

/** The worker's own way to a provider, for one account with a pace of ten calls a second. */
async function pacedCall(): Promise<Call> {
  const { redis, keys } = await aTestRedis();
  const account: Account = {
    id: randomUUID(),
    workspace: 'default',
    name: 'Paced',
    provider: 'salesforce',
    status: 'active',
    settings: { ...SETTINGS, rate_limit: { requests: 10, per_seconds: 1 } },
    createdAtMs: 0,
    updatedAtMs: 0,
    credentialsVersion: 1,
    revision: 1,
    heldMs: 0,
  };
  const caller = createCaller({
    gate: createGate({ redis, keys, partitions: 1, processId: 'test' }),
    send: rig.send,
    places: createPlaces(200),
    credentialsOf: async () => ({ credentials: rig.credentials(), version: 1, grant: 1 }),
    refresher: {
      refresh: async () => ({ kind: 'dead', message: 'nothing expires here' }),
      idle: async () => {},
    },
    clock: systemClock,
    providerClock: createProviderClock(),
  });
  return caller(account, { isBulk: true });
}

describe('many rows at once pass the gate like any call', () => {
  it('each call has its turn, a bulk job and batches beside each other', async () => {
    await rig.configure({ bulk_delay_ms: 0 });
    const call = await pacedCall();
    const inJob = rowsOf(300);
    const beganMs = performance.now();
    let progress: BulkProgress | undefined;
    let deferrals = 0;

    const job = until('the bulk job to end', async () => {
      const step = await advanceBulk({
        client,
        call,
        settings: SETTINGS,
        progress,
        file: async () => {
          const file = client.newFile(SETTINGS);
          for (const row of inJob) file.add(row);
          return file.text();
        },
        save: async (next) => {
          progress = next;
          return true;
        },
      });
      if (step.kind === 'ended' || step.kind === 'refused' || step.kind === 'taken') return step;
      progress = step.progress;
      if (step.kind === 'stopped') {
        expect(step.result.kind).toBe('deferred');
        deferrals += 1;
      }
      return undefined;
    });
    const inBatches = Array.from({ length: 20 }, () => rowsOf(10));
    const batches = inBatches.map((rows) => {
      const request = salesforceBatch.request(rows, SETTINGS);
      return until('the batch to be written', async () => {
        const result = await call(request);
        if (result.kind === 'answered') return salesforceBatch.read(result, rows, request);
        expect(result.kind).toBe('deferred');
        deferrals += 1;
        return undefined;
      });
    });

    const readings = await Promise.all(batches);
    expect(readings.map(({ kind }) => kind)).toEqual(inBatches.map(() => 'rows'));
    expect(await job).toMatchObject({ kind: 'ended' });
    const tookMs = performance.now() - beganMs;
    expect(deferrals).toBeGreaterThan(0);
    expect(await rig.records()).toHaveLength(500);
    // What passes the gate comes at its pace, however slow the machine; a call beside it would be one too many.
    const calls = Object.values(await rig.calls()).reduce((sum, count) => sum + count);
    expect(calls).toBeGreaterThanOrEqual(20 + 6);
    expect(tookMs).toBeGreaterThan((calls - 1 - BURST) * INTERVAL_MS);
  });
});
