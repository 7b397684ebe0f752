import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aTestRedis } from '../support/redis.ts';
import { aGate, aPace, type VirtualGate } from './gate-support.ts';

const FAST = aPace({ requests: 1_000_000, burst: 1_000 });

async function enter(gate: VirtualGate, pace = FAST) {
  const entered = await gate.enter(pace);
  if (entered.kind !== 'go') throw new Error(`refused: ${entered.reason}`);
  return entered;
}

const down = async (gate: VirtualGate, lease: string) => gate.leave(lease, { availability: 'down' });

/** So many calls one after the other that find the provider down. */
async function fail(gate: VirtualGate, times: number) {
  let last = {};
  for (let i = 0; i < times; i++) last = await down(gate, (await enter(gate)).lease);
  return last;
}

/** The gate of an account whose provider has just been found down. */
async function anOpenCircuit(): Promise<VirtualGate> {
  const gate = aGate(await aTestRedis());
  expect(await fail(gate, 5)).toMatchObject({ circuit: 'opened' });
  return gate;
}

describe('a provider that is down', () => {
  it('is called no more after five calls in a row, whatever was answered between them says nothing', async () => {
    const gate = aGate(await aTestRedis());
    await fail(gate, 4);
    await gate.leave((await enter(gate)).lease);
    const last = await enter(gate);
    expect(await down(gate, last.lease)).toMatchObject({ circuit: 'opened' });
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'down' });
  });

  it('is not thought down as long as it answers something definite now and then', async () => {
    const gate = aGate(await aTestRedis());
    for (let round = 0; round < 4; round++) {
      expect(await fail(gate, 4)).not.toHaveProperty('circuit');
      await gate.leave((await enter(gate)).lease, { availability: 'up' });
    }
    expect(await gate.enter(FAST)).toEqual({
      kind: 'go',
      waitMs: 0,
      slot: expect.any(Object),
      lease: expect.any(String),
    });
  });

  it('is asked by one call per interval, which doubles up to five minutes', async () => {
    const gate = await anOpenCircuit();
    const intervals: number[] = [];
    for (let probe = 0; probe < 10; probe++) {
      const refused = await gate.enter(FAST);
      if (refused.kind !== 'later') throw new Error('the circuit is not open');
      intervals.push(Math.round(refused.ms / 500) * 500);
      await gate.advance(refused.ms - 400);
      expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'down' });
      await gate.advance(401);
      const entered = await enter(gate);
      expect(entered.isProbe).toBe(true);
      expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'down' });
      expect(await down(gate, entered.lease)).toMatchObject({ circuit: 'held_open' });
    }
    expect(intervals).toEqual([
      2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000,
    ]);
  });

  it('is asked later by chance, never earlier', async () => {
    const gate = aGate(await aTestRedis());
    gate.setChance(1);
    await fail(gate, 5);
    const refused = await gate.enter(FAST);
    expect(refused.kind === 'later' && refused.ms).toBeGreaterThan(2_400);
    expect(refused.kind === 'later' && refused.ms).toBeLessThanOrEqual(2_500);
  });

  it('is asked by one call only, however many processes want to at the same moment', async () => {
    const gate = await anOpenCircuit();
    await gate.advance(2_001);
    const all = await Promise.all(Array.from({ length: 50 }, () => gate.enter(FAST)));
    expect(all.filter(({ kind }) => kind === 'go')).toHaveLength(1);
    // The probe may be back any moment: nobody sleeps through that.
    for (const asked of all) if (asked.kind === 'later') expect(asked.ms).toBeLessThanOrEqual(1_000);
  });

  it('is asked again at its time when the prober died, and at once when its call was never made', async () => {
    const gate = await anOpenCircuit();
    await gate.advance(2_001);
    expect((await gate.enter(FAST, { leaseMs: 1_000 })).kind).toBe('go');
    await gate.advance(1_001);
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'down' });
    await gate.advance(1_000);
    const second = await enter(gate);
    expect(second.isProbe).toBe(true);
    await gate.leave(second.lease);
    expect(await enter(gate)).toMatchObject({ isProbe: true });
  });

  it('makes nothing of the late failures of calls that had left before', async () => {
    const gate = aGate(await aTestRedis());
    const early = [await enter(gate), await enter(gate), await enter(gate)];
    await fail(gate, 5);
    for (const { lease } of early) await down(gate, lease);
    await gate.advance(2_001);
    expect(await enter(gate)).toMatchObject({ isProbe: true });
  });

  it('that answers again is called at its pace, not with what was saved up', async () => {
    const gate = await anOpenCircuit();
    const pace = aPace({ requests: 100, burst: 2 });
    await gate.advance(60_000);
    const probe = await enter(gate, pace);
    expect(await gate.leave(probe.lease, { availability: 'up' })).toMatchObject({ circuit: 'closed' });
    const slots: number[] = [];
    for (let i = 0; i < 4; i++) {
      expect(await gate.enter(pace, { waitMsMax: 1_000 })).toMatchObject({ kind: 'go' });
      slots.push(await gate.lastSlotMs(pace));
    }
    expect((slots[3] ?? 0) - (slots[0] ?? 0)).toBeGreaterThan(15);
  });

  it('begins anew with the shortest interval the next time', async () => {
    const gate = await anOpenCircuit();
    await gate.advance(2_001);
    await down(gate, (await enter(gate)).lease);
    await gate.advance(4_001);
    await gate.leave((await enter(gate)).lease, { availability: 'up' });
    expect(await fail(gate, 4)).not.toHaveProperty('circuit');
    expect(await fail(gate, 1)).toMatchObject({ circuit: 'opened' });
    const refused = await gate.enter(FAST);
    expect(refused.kind === 'later' && refused.ms).toBeLessThanOrEqual(2_000);
  });

  it('turns away a call that got its slot before, when it asks again before it leaves', async () => {
    const gate = aGate(await aTestRedis());
    const waiting = await enter(gate);
    await fail(gate, 5);
    expect(await gate.again(waiting.lease, FAST)).toMatchObject({ kind: 'later', reason: 'down' });
    expect(await gate.leases()).not.toContain(waiting.lease);
    await gate.advance(2_001);
    const probe = await enter(gate);
    expect(await gate.again(probe.lease, FAST)).toMatchObject({ kind: 'go', isProbe: true });
  });
});

it('of one account is nothing to another', async () => {
  await anOpenCircuit();
  expect(await aGate(await aTestRedis()).enter(FAST)).toEqual({
    kind: 'go',
    waitMs: 0,
    slot: expect.any(Object),
    lease: expect.any(String),
  });
});

it('whatever happens, the gate opens again once the provider answers', async () => {
  const redis = await aTestRedis();
  const event = fc.constantFrom('down', 'up', 'silent', 'die', 'wait');
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const gate = aGate(redis);
      for (const what of events) {
        if (what === 'wait') await gate.advance(3_000);
        const entered = await gate.enter(FAST, { leaseMs: 10_000 });
        if (entered.kind === 'later' || what === 'die') continue;
        await gate.leave(entered.lease, what === 'down' || what === 'up' ? { availability: what } : {});
      }
      await gate.advance(300_001);
      await gate.leave((await enter(gate)).lease, { availability: 'up' });
      expect(await enter(gate)).not.toHaveProperty('isProbe');
    }),
    { numRuns: 15, interruptAfterTimeLimit: 4_000 },
  );
});
