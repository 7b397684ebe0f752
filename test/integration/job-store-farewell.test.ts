import { describe, expect, it } from 'vitest';
import { createGate } from '../../shared/providers/gate.ts';
import type { ScriptReply } from '../../shared/redis/scripts.ts';
import type { Move } from '../../shared/stores/job-store.ts';
import { aPace } from './gate-support.ts';
import { aJobStore } from './job-store-support.ts';

/** A job whose call has just ended, with seven calls left, and the gate not told. */
async function aJobAfterItsCall() {
  const store = await aJobStore();
  const account = await store.anAccount();
  const job = await store.aJobIn(account, 'running');
  const { redis, keys } = store;
  const p = store.partitionOf(account);
  const gate = createGate({ redis, keys, partitions: 4, processId: 'test' });
  const lease = gate.newLease();
  await gate.enter(account, { lease, leaseMs: 60_000, pace: aPace(), waitMsMax: 0 });
  const said: ScriptReply[] = [];
  const learned = { remaining: 7, resetAtMs: 60_000 };
  const farewell = {
    part: gate.farewell(account, lease, { succeeded: true, learned, block: { ms: 5_000 } }, 0),
    said: (reply: ScriptReply) => said.push(reply),
  };
  return {
    store,
    job,
    said,
    move: (more: Partial<Move> = {}) => store.jobs.move(job, { to: 'succeeded', farewell, ...more }),
    leases: () => redis.zcard(keys.leases(p, account)),
    left: () => redis.hget(keys.gate(p, account), 'rem'),
  };
}

describe('a move that ends the call before it', () => {
  it('tells the gate in the same step', async () => {
    const { store, job, said, move, leases, left } = await aJobAfterItsCall();
    expect(await leases()).toBe(1);
    expect(await move()).toMatchObject({ kind: 'moved' });
    expect((await store.find(job.id)).status).toBe('succeeded');
    expect(await leases()).toBe(0);
    expect(await left()).toBe('7');
    expect(said).toEqual([[1, 5_000, '']]);
  });

  it('tells it, too, when the job does not move', async () => {
    const { store, job, said, move, leases } = await aJobAfterItsCall();
    expect(await move({ generation: job.generation + 1 })).toEqual({ kind: 'fenced' });
    expect((await store.find(job.id)).status).toBe('running');
    expect(await leases()).toBe(0);
    expect(said).toHaveLength(1);
  });
});
