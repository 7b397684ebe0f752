import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aTestRedis } from '../support/redis.ts';
import { aGate, aPace, type VirtualGate } from './gate-support.ts';

const FAST = aPace({ requests: 1_000_000, burst: 1_000 });

async function aLease(gate: VirtualGate, pace = FAST): Promise<string> {
  const entered = await gate.enter(pace);
  if (entered.kind !== 'go') throw new Error(`refused: ${entered.reason}`);
  return entered.lease;
}

async function isOpen(gate: VirtualGate): Promise<boolean> {
  return (await gate.enter(FAST)).kind === 'go';
}

describe('concurrency', () => {
  it('is a bound over all callers, and a lease given back is free at once', async () => {
    const gate = aGate(await aTestRedis());
    const pace = { ...FAST, concurrency: 3 };
    const leases = [await aLease(gate, pace), await aLease(gate, pace), await aLease(gate, pace)];
    expect(await gate.enter(pace)).toMatchObject({ kind: 'later', reason: 'concurrency' });
    await gate.leave(leases[1] ?? '');
    await aLease(gate, pace);
    expect(await gate.enter(pace)).toMatchObject({ kind: 'later', reason: 'concurrency' });
  });

  it('comes back by itself when a holder died: leases expire', async () => {
    const gate = aGate(await aTestRedis());
    const pace = { ...FAST, concurrency: 1 };
    expect(await gate.enter(pace, { leaseMs: 5_000 })).toMatchObject({ kind: 'go' });
    await gate.advance(4_000);
    expect(await gate.enter(pace)).toMatchObject({ kind: 'later', reason: 'concurrency' });
    await gate.advance(1_001);
    expect(await gate.enter(pace)).toMatchObject({ kind: 'go' });
  });

  it('refused for it, no slot of the pace is lost', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 1, perMs: 60_000, concurrency: 1 });
    const lease = await aLease(gate, pace);
    const tat = await gate.lastSlotMs(pace);
    await gate.enter(pace, { waitMsMax: 3_600_000 });
    expect(await gate.lastSlotMs(pace)).toBe(tat);
    await gate.leave(lease);
  });

  it('a lease is given back once: a late leave of an expired one frees nobody else’s', async () => {
    const gate = aGate(await aTestRedis());
    const pace = { ...FAST, concurrency: 1 };
    const first = await gate.enter(pace, { leaseMs: 1_000 });
    await gate.advance(1_001);
    await aLease(gate, pace);
    if (first.kind === 'go') await gate.leave(first.lease);
    expect(await gate.enter(pace)).toMatchObject({ kind: 'later', reason: 'concurrency' });
  });
});

describe('a block', () => {
  it('lasts until the latest of all stated times, in whatever order they arrive', async () => {
    const redis = await aTestRedis();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 2_000, max: 120_000 }), { minLength: 1, maxLength: 6 }),
        async (times) => {
          const gate = aGate(redis);
          const leases: string[] = [];
          for (const _ of times) leases.push(await aLease(gate));
          for (const [i, ms] of times.entries()) await gate.leave(leases[i] ?? '', { block: { ms } });
          const latest = Math.max(...times);
          // A second is the tolerance of a loaded machine.
          await gate.advance(latest - 1_000);
          expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'blocked' });
          await gate.advance(1_000);
          expect(await isOpen(gate)).toBe(true);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('is followed by calls at their pace, not by what was saved up meanwhile', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 100, burst: 2 });
    await gate.leave(await aLease(gate, pace), { block: { ms: 60_000 } });
    await gate.advance(60_000);
    const slots: number[] = [];
    for (let i = 0; i < 4; i++) {
      await gate.enter(pace, { waitMsMax: 1_000 });
      slots.push(await gate.lastSlotMs(pace));
    }
    expect((slots[3] ?? 0) - (slots[0] ?? 0)).toBeGreaterThan(15);
  });

  it('turns away a call that got its slot before, when it asks again before it leaves', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 10 });
    const first = await aLease(gate, pace);
    const second = await gate.enter(pace, { waitMsMax: 1_000 });
    if (second.kind !== 'go') throw new Error('refused');
    await gate.advance(101);
    expect(await gate.again(second.lease, pace)).toMatchObject({ kind: 'go', waitMs: 0 });
    await gate.leave(first, { block: { ms: 30_000 } });
    const turned = await gate.again(second.lease, pace);
    expect(turned).toMatchObject({ kind: 'later', reason: 'blocked' });
    if (turned.kind === 'later') expect(turned.ms).toBeGreaterThan(28_000);
    expect(await gate.leases()).not.toContain(second.lease);
  });

  it('without a stated time grows with every hit in a row and starts over after a success', async () => {
    const gate = aGate(await aTestRedis());
    const growing = { firstMs: 2_000, maxMs: 10_000 };
    const blocks: number[] = [];
    for (let hit = 0; hit < 5; hit++) {
      const { blockedMs } = await gate.leave(await aLease(gate), { block: growing });
      blocks.push(Math.round(blockedMs / 100) * 100);
      await gate.advance(10_000);
    }
    expect(blocks).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
    await gate.leave(await aLease(gate), { succeeded: true });
    const { blockedMs } = await gate.leave(await aLease(gate), { block: growing });
    expect(blockedMs).toBeLessThanOrEqual(2_000);
  });

  it('grows once for all calls that met the same limit together', async () => {
    const gate = aGate(await aTestRedis());
    const leases: string[] = [];
    for (let i = 0; i < 8; i++) leases.push(await aLease(gate));
    for (const lease of leases) await gate.leave(lease, { block: { firstMs: 2_000, maxMs: 300_000 } });
    await gate.advance(2_000);
    expect(await isOpen(gate)).toBe(true);
  });
});

describe('a budget stated in headers', () => {
  it('is kept until its reset, and asked for anew afterwards', async () => {
    const gate = aGate(await aTestRedis());
    await gate.leave(await aLease(gate), { learned: { remaining: 2, resetAtMs: 30_000 } });
    const first = await aLease(gate);
    await aLease(gate);
    const refused = await gate.enter(FAST);
    expect(refused).toMatchObject({ kind: 'later', reason: 'budget' });
    if (refused.kind === 'later') expect(refused.ms).toBeLessThanOrEqual(30_000);
    await gate.leave(first);
    await gate.advance(30_001);
    expect(await isOpen(gate)).toBe(true);
  });

  it('is not lessened by calls that never came back', async () => {
    const { redis, keys } = await aTestRedis();
    const gate = aGate({ redis, keys });
    const last = await aLease(gate);
    const [seconds] = await redis.time();
    const expired = Number(seconds) * 1_000 - 1_000;
    await redis.zadd(gate.leasesKey, ...Array.from({ length: 12 }, (_, i) => [expired, `dead.${i}`]).flat());
    await gate.leave(last, { learned: { remaining: 10, resetAtMs: 60_000 }, concurrency: 20 });
    expect(await redis.hget(gate.gateKey, 'rem')).toBe('10');
  });

  it('that lasts is the smaller of two answers that overtook each other, with what is in flight taken off', async () => {
    const gate = aGate(await aTestRedis());
    const says = (remaining: number) => ({ concurrency: 8, learned: { remaining, resetAtMs: 30_000 } });
    const [first, second, third] = [await aLease(gate), await aLease(gate), await aLease(gate)];
    // Two are still in flight: whether the provider counted them, nobody knows.
    await gate.leave(third, says(3));
    await gate.leave(second, says(0));
    await gate.leave(first, says(2));
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'budget' });
    // More than can have been in flight is news: calls of others were given back.
    await gate.leave('', says(100));
    expect(await isOpen(gate)).toBe(true);
  });

  it('that lasts is so to its end: not opened early, and not overdrawn in its last seconds', async () => {
    const gate = aGate(await aTestRedis());
    const says = (remaining: number, resetAtMs: number) => ({
      ...{ concurrency: 8, resetStepMs: 1_000 },
      learned: { limit: 150, remaining, resetAtMs },
    });
    const [first, second] = [await aLease(gate), await aLease(gate)];
    await gate.leave(await aLease(gate), says(60, 30_000));
    await gate.advance(25_000);
    await gate.leave(first, says(0, 5_000));
    await gate.leave(second, says(1, 5_000));
    await gate.advance(4_900);
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'budget' });
    await gate.advance(101);
    expect(await isOpen(gate)).toBe(true);
  });

  it('of a second is over a step before it is told to be: it is rounded up', async () => {
    const gate = aGate(await aTestRedis());
    await gate.leave(await aLease(gate), {
      resetStepMs: 1_000,
      learned: { limit: 10, remaining: 0, resetAtMs: 1_900 },
    });
    await gate.advance(901);
    expect(await isOpen(gate)).toBe(true);
  });

  it('gets back what was taken for a call that was not sent', async () => {
    const gate = aGate(await aTestRedis());
    const learned = { limit: 150, remaining: 1, resetAtMs: 30_000 };
    await gate.leave(await aLease(gate), { concurrency: 8, learned });
    const last = await aLease(gate);
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'budget' });
    await gate.leave(last, { unsent: true });
    // Once, however often it is said.
    await gate.leave(last, { unsent: true });
    await aLease(gate);
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'later', reason: 'budget' });
  });

  it('of the next window counts at once: the account does not crawl on the remainder of the last', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 25 });
    // As Close answers: a reset that is always less than a second away.
    let entered = 0;
    let remaining = 25;
    for (let ms = 0; ms < 4_000; ms += 50) {
      if (ms % 1_000 === 0) remaining = 25;
      const asked = await gate.enter(pace);
      if (asked.kind === 'go') {
        entered++;
        remaining--;
        const resetAtMs = 1_000 - (ms % 1_000);
        await gate.leave(asked.lease, { learned: { limit: 25, remaining, resetAtMs }, succeeded: true });
      }
      await gate.advance(50);
    }
    // 20 a second are asked for, 25 allowed.
    expect(entered).toBeGreaterThan(75);
  });

  it('may be stated with decimals, and out of order, without ever stopping the gate', async () => {
    const redis = await aTestRedis();
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            remaining: fc.oneof(fc.nat(100), fc.double({ min: 0, max: 100, noNaN: true })),
            resetAtMs: fc.double({ min: -5_000, max: 5_000, noNaN: true }),
          }),
          { minLength: 1, maxLength: 10 },
        ),
        async (answers) => {
          const gate = aGate(redis);
          for (const learned of answers) {
            const entered = await gate.enter(FAST);
            if (entered.kind === 'go') await gate.leave(entered.lease, { learned });
          }
          await gate.advance(5_001);
          expect(await isOpen(gate)).toBe(true);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('of the day is kept but for the share of others, as long as the reading is fresh', async () => {
    const gate = aGate(await aTestRedis());
    const pace = { ...FAST, dailyShare: 0.95 };
    await gate.leave(await aLease(gate, pace), { learned: { daily: { used: 949, max: 1_000 } } });
    await gate.leave(await aLease(gate, pace), { learned: { daily: { used: 950, max: 1_000 } } });
    expect(await gate.enter(pace)).toMatchObject({ kind: 'later', reason: 'daily' });
    await gate.advance(300_001);
    expect(await gate.enter(pace)).toMatchObject({ kind: 'go' });
  });
});

describe('what the gate knows of an account', () => {
  const HOUR_MS = 3_600_000;

  it('goes away 48 to 49 hours after its last call', async () => {
    const { redis, keys } = await aTestRedis();
    const gate = aGate({ redis, keys });
    await aLease(gate);
    for (const key of [gate.gateKey, `${gate.gateKey}:leases`]) {
      expect(await redis.pttl(key)).toBeGreaterThan(48.9 * HOUR_MS);
      expect(await redis.pttl(key)).toBeLessThanOrEqual(49 * HOUR_MS);
    }
  });

  it('is kept on by a call that comes an hour after the last time it was', async () => {
    const { redis, keys } = await aTestRedis();
    const gate = aGate({ redis, keys });
    await aLease(gate);
    await redis.hincrbyfloat(gate.gateKey, 'kept', -HOUR_MS - 1);
    for (const key of [gate.gateKey, `${gate.gateKey}:leases`]) await redis.pexpire(key, HOUR_MS);
    await aLease(gate);
    for (const key of [gate.gateKey, `${gate.gateKey}:leases`])
      expect(await redis.pttl(key)).toBeGreaterThan(48.9 * HOUR_MS);
  });

  it('is kept on for leases that begin anew', async () => {
    const { redis, keys } = await aTestRedis();
    const gate = aGate({ redis, keys });
    await gate.leave(await aLease(gate));
    await aLease(gate);
    expect(await redis.pttl(`${gate.gateKey}:leases`)).toBeGreaterThan(48.9 * HOUR_MS);
  });
});
