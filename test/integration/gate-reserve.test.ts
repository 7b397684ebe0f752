import { describe, expect, it } from 'vitest';
import { aTestRedis } from '../support/redis.ts';
import { aGate, aPace, type VirtualGate } from './gate-support.ts';

const FAST = aPace({ requests: 1_000_000, burst: 1_000, concurrency: 8 });
const bulk = { isBulk: true };

async function aLease(gate: VirtualGate, pace = FAST) {
  const entered = await gate.enter(pace);
  if (entered.kind !== 'go') throw new Error(entered.reason);
  return entered.lease;
}

/**
 * An import that wants every slot, and single creates at moments of their own, on a pace of 50 a second.
 * @returns how long each single create waited for its turn, and how many calls of the import left in a second.
 */
async function runBeside(gate: VirtualGate, forMs: number, singleEveryMs: number) {
  const pace = aPace({ requests: 50, burst: 1, concurrency: 1_000 });
  const waits: number[] = [];
  const beganMs = await gate.nowMs();
  let nowMs = beganMs;
  let nextSingleMs = beganMs + singleEveryMs / 2;
  let bulkCalls = 0;
  for (; nowMs < beganMs + forMs; nowMs = await gate.nowMs()) {
    if (nowMs >= nextSingleMs) {
      nextSingleMs += singleEveryMs;
      const entered = await gate.enter(pace, { waitMsMax: 10_000 });
      waits.push(entered.kind === 'go' ? entered.waitMs : Number.NaN);
      await gate.leave(entered.lease);
    }
    // As a create does: it waits up to 250 ms in place.
    const asked = await gate.enter(pace, { isBulk: true, waitMsMax: 250 });
    await gate.leave(asked.lease);
    if (asked.kind === 'go') bulkCalls++;
    else await gate.advance(Math.min(asked.ms, 20));
  }
  return { waits, bulkPerSecond: (bulkCalls * 1_000) / (nowMs - beganMs) };
}

describe('bulk work', () => {
  it('takes the whole pace as long as nobody else asks', async () => {
    const gate = aGate(await aTestRedis());
    const { bulkPerSecond } = await runBeside(gate, 5_000, Number.POSITIVE_INFINITY);
    expect(bulkPerSecond).toBeGreaterThan(48);
  });

  it('leaves single creates a turn at once, and keeps most of the pace itself', async () => {
    const gate = aGate(await aTestRedis());
    // Four a second: less than a tenth of the pace.
    const { waits, bulkPerSecond } = await runBeside(gate, 10_000, 250);
    expect(waits.length).toBeGreaterThan(30);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60);
    expect(bulkPerSecond).toBeGreaterThan(40);
  });

  it('that waits for its slots already gives the next one to a single create that comes behind it', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 10, burst: 1, concurrency: 100 });
    // The window is full, as in the middle of an import.
    const waiting = [];
    for (let i = 0; i < 10; i++) {
      const left = await gate.enter(pace, bulk);
      if (left.kind === 'go' && left.waitMs === 0) await gate.leave(left.lease);
      await gate.advance(102);
    }
    for (let i = 0; i < 8; i++) waiting.push(await gate.enter(pace, { ...bulk, waitMsMax: 2_000 }));
    const single = await gate.enter(pace, { waitMsMax: 500 });
    expect(single).toMatchObject({ kind: 'go' });
    expect(single.kind === 'go' && single.waitMs).toBeLessThanOrEqual(102);
    await gate.advance(102);
    expect(await gate.again(single.lease, pace)).toMatchObject({ kind: 'go', waitMs: 0 });
    // Whoever held that slot finds the window full, and waits once more.
    const [, second] = waiting;
    const moved = await gate.again(second?.lease ?? '', pace);
    expect(moved.kind === 'go' && moved.waitMs).toBeGreaterThan(0);
  });

  it('that waits for the same place as a single create leaves it that, also when it asks first', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 10, burst: 1, concurrency: 100 });
    for (let i = 0; i < 10; i++) {
      const left = await gate.enter(pace, bulk);
      if (left.kind !== 'go' || !left.slot) throw new Error('not let pass');
      // On a busy machine: those a window later have to wait for longer than until their slots.
      await gate.leftLate(left.slot, (await gate.nowMs()) + 60);
      await gate.leave(left.lease);
      await gate.advance(102);
    }
    const held = await gate.enter(pace, { ...bulk, waitMsMax: 500 });
    const single = await gate.enter(pace, { waitMsMax: 2_000 });
    expect([held, single]).toMatchObject([{ kind: 'go' }, { kind: 'go' }]);
    const waitMs = single.kind === 'go' ? single.waitMs : 0;
    expect(waitMs).toBeGreaterThan(20);
    await gate.advance(waitMs);
    const bulkAgain = await gate.again(held.lease, pace, bulk);
    expect(bulkAgain.kind === 'go' && bulkAgain.waitMs).toBeGreaterThan(0);
    expect(await gate.again(single.lease, pace, { waitMsMax: 1_000 })).toMatchObject({
      kind: 'go',
      waitMs: 0,
    });
    // It has its turn one place later.
    await gate.advance(110);
    expect(await gate.again(held.lease, pace, bulk)).toMatchObject({ kind: 'go', waitMs: 0 });
  });

  it('leaves one of the calls at once while single creates come', async () => {
    const gate = aGate(await aTestRedis());
    await gate.leave(await aLease(gate));
    for (let i = 0; i < 7; i++) expect(await gate.enter(FAST, bulk)).toMatchObject({ kind: 'go' });
    expect(await gate.enter(FAST, bulk)).toMatchObject({ kind: 'later', reason: 'concurrency' });
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'go' });
  });

  it('has all of them again ten seconds after the last', async () => {
    const gate = aGate(await aTestRedis());
    await gate.leave(await aLease(gate));
    await gate.advance(10_001);
    for (let i = 0; i < 8; i++) expect(await gate.enter(FAST, bulk)).toMatchObject({ kind: 'go' });
  });

  it('goes on where only one call at once is allowed', async () => {
    const gate = aGate(await aTestRedis());
    const pace = { ...FAST, concurrency: 1 };
    await gate.leave(await aLease(gate, pace));
    expect(await gate.enter(pace, bulk)).toMatchObject({ kind: 'go' });
  });

  it('leaves a tenth of an hour’s budget to single creates, whether or not any came', async () => {
    const gate = aGate(await aTestRedis());
    const learned = { limit: 4_000, remaining: 400, resetAtMs: 3_000_000 };
    await gate.leave(await aLease(gate), { learned });
    await gate.advance(20_000);
    expect(await gate.enter(FAST, bulk)).toMatchObject({ kind: 'later', reason: 'reserve' });
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'go' });
  });

  it('may use up a window that is over in a second, unless single creates come', async () => {
    const gate = aGate(await aTestRedis());
    const first = await gate.enter(FAST, bulk);
    if (first.kind !== 'go') throw new Error('refused');
    await gate.leave(first.lease, { learned: { limit: 20, remaining: 2, resetAtMs: 1_000 } });
    expect(await gate.enter(FAST, bulk)).toMatchObject({ kind: 'go' });
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'go' });
    await gate.leave(first.lease, { learned: { limit: 20, remaining: 4, resetAtMs: 1_000 } });
    expect(await gate.enter(FAST, bulk)).toMatchObject({ kind: 'later', reason: 'reserve' });
  });

  it('leaves a tenth of the day', async () => {
    const gate = aGate(await aTestRedis());
    await gate.leave(await aLease(gate), { learned: { daily: { used: 900, max: 1_000 } } });
    expect(await gate.enter(FAST, bulk)).toMatchObject({ kind: 'later', reason: 'reserve' });
    expect(await gate.enter(FAST)).toMatchObject({ kind: 'go' });
  });
});
