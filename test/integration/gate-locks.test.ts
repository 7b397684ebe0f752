import { describe, expect, it } from 'vitest';
import { aTestRedis } from '../support/redis.ts';
import { aGate, aPace, type VirtualGate } from './gate-support.ts';

const EIGHT = aPace({ requests: 1_000_000, burst: 1_000, concurrency: 8 });

/** Writes under one parent that may be begun now, all at once. */
async function room(gate: VirtualGate, parentId: string): Promise<string[]> {
  const leases: string[] = [];
  for (;;) {
    const entered = await gate.enter(EIGHT, { parentId });
    if (entered.kind === 'later') return leases;
    leases.push(entered.lease);
  }
}

/** How many that are; none of them is held afterwards, and nothing is learned from them. */
async function roomUnder(gate: VirtualGate, parentId: string): Promise<number> {
  const leases = await room(gate, parentId);
  for (const lease of leases) await gate.leave(lease, { parentId, concurrency: 8 });
  return leases.length;
}

async function end(gate: VirtualGate, parentId: string, how: { isLocked?: boolean; succeeded?: boolean }) {
  const entered = await gate.enter(EIGHT, { parentId });
  if (entered.kind !== 'go') throw new Error(entered.reason);
  await gate.leave(entered.lease, { parentId, concurrency: 8, ...how });
}

const lock = (gate: VirtualGate, parentId: string) => end(gate, parentId, { isLocked: true });

describe('a locked row', () => {
  it('halves what runs at once under its parent, down to one, and under no other', async () => {
    const gate = aGate(await aTestRedis());
    expect(await roomUnder(gate, '001A')).toBe(8);
    const left: number[] = [];
    for (let i = 0; i < 4; i++) {
      await lock(gate, '001A');
      left.push(await roomUnder(gate, '001A'));
    }
    expect(left).toEqual([4, 2, 1, 1]);
    expect(await roomUnder(gate, '001B')).toBe(8);
    const entered = await gate.enter(EIGHT);
    expect(entered.kind).toBe('go');
  });

  it('goes on from what was known of the parent, whoever noted it', async () => {
    const { redis, keys } = await aTestRedis();
    const gate = aGate({ redis, keys });
    // As workers did before the gate itself knew that there ever was a lock.
    await redis.hset(keys.parentLocks(0, gate.account, '001A'), 'cap', 4);
    await lock(gate, '001A');
    expect(await roomUnder(gate, '001A')).toBe(2);
  });

  it('lets others of the account write while all places under the parent are taken', async () => {
    const gate = aGate(await aTestRedis());
    await lock(gate, '001A');
    expect(await room(gate, '001A')).toHaveLength(4);
    expect(await gate.enter(EIGHT, { parentId: '001A' })).toMatchObject({ kind: 'later', reason: 'parent' });
    expect(await gate.enter(EIGHT, { parentId: '001B' })).toMatchObject({ kind: 'go' });
  });

  it('is forgotten step by step: one more at once for five that went well', async () => {
    const gate = aGate(await aTestRedis());
    for (let i = 0; i < 3; i++) await lock(gate, '001A');
    const seen: number[] = [];
    for (let round = 0; round < 7; round++) {
      for (let i = 0; i < 5; i++) await end(gate, '001A', { succeeded: true });
      seen.push(await roomUnder(gate, '001A'));
    }
    expect(seen).toEqual([2, 3, 4, 5, 6, 7, 8]);
    const { redis, keys } = await aTestRedis();
    expect(await redis.exists(keys.parentLocks(0, gate.account, '001A'))).toBe(0);
  });

  it('begins its five anew with every lock', async () => {
    const gate = aGate(await aTestRedis());
    for (let i = 0; i < 3; i++) await lock(gate, '001A');
    for (let i = 0; i < 4; i++) await end(gate, '001A', { succeeded: true });
    await lock(gate, '001A');
    for (let i = 0; i < 4; i++) await end(gate, '001A', { succeeded: true });
    expect(await roomUnder(gate, '001A')).toBe(1);
  });

  it('sends those who wait away one after the other, so that they do not all come back at once', async () => {
    const gate = aGate(await aTestRedis());
    for (let i = 0; i < 3; i++) await lock(gate, '001A');
    const [held = ''] = await room(gate, '001A');
    const waits: number[] = [];
    for (let i = 0; i < 40; i++) {
      const asked = await gate.enter(EIGHT, { parentId: '001A' });
      if (asked.kind === 'later') waits.push(asked.ms);
    }
    expect(Math.max(...waits)).toBeGreaterThan(9_000);
    expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
    await gate.leave(held, { parentId: '001A', concurrency: 8, succeeded: true });
    expect((await gate.enter(EIGHT, { parentId: '001A' })).kind).toBe('go');
  });

  it('does not keep the place of a writer that died', async () => {
    const gate = aGate(await aTestRedis());
    for (let i = 0; i < 3; i++) await lock(gate, '001A');
    expect(await gate.enter(EIGHT, { parentId: '001A', leaseMs: -1 })).toMatchObject({ kind: 'go' });
    expect(await roomUnder(gate, '001A')).toBe(1);
  });
});
