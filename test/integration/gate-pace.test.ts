import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entered } from '../../shared/providers/gate.ts';
import type { Pace } from '../../shared/providers/pace.ts';
import { aTestRedis } from '../support/redis.ts';
import { aGate, aPace, fullestWindow, type VirtualGate } from './gate-support.ts';

/** The clock is read around the script: a window is looked at that much shorter, and by no less than this. */
const ROUNDING_MS = 1;
const FOR_EVER = 1e12;

const paces = fc
  .record({ requests: fc.integer({ min: 1, max: 300 }), perMs: fc.constantFrom(250, 1_000, 60_000) })
  .map(({ requests, perMs }) => aPace({ requests, perMs, burst: Math.max(1, Math.floor(requests * 0.02)) }));

describe('the pace', () => {
  it('never lets more calls into any window than the limit allows, however they come', async () => {
    const redis = await aTestRedis();
    await fc.assert(
      fc.asyncProperty(
        paces,
        fc.array(fc.record({ idle: fc.double({ min: 0, max: 1.5, noNaN: true }), calls: fc.nat(200) }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (pace, phases) => {
          const gate = aGate(redis);
          const leaves: number[] = [];
          let unsureMs = ROUNDING_MS;
          for (const { idle, calls } of phases) {
            await gate.advance(Math.round(idle * pace.perMs));
            // Sent as one pipeline, which Redis works off in this order.
            const asked = Array.from({ length: calls }, async () => {
              const before = gate.nowMs();
              const entered = gate.enter(pace, { waitMsMax: FOR_EVER });
              const slot = gate.lastSlotMs(pace);
              const after = await gate.nowMs();
              await entered;
              unsureMs = Math.max(unsureMs, after - (await before));
              // A slot that was saved up lies in the past: such a call leaves now.
              return Math.max(await slot, after);
            });
            leaves.push(...(await Promise.all(asked)));
          }
          expect(fullestWindow(leaves, pace.perMs - unsureMs)).toBeLessThanOrEqual(pace.requests);
        },
      ),
      {
        numRuns: 20,
        interruptAfterTimeLimit: 4_000,
        // A burst after a pause, then as much as there is: the fullest window a pace can make.
        examples: [
          [
            aPace({ requests: 100, burst: 2 }),
            [
              { idle: 0, calls: 1 },
              { idle: 1.5, calls: 150 },
            ],
          ],
        ],
      },
    );
  });

  it.each([
    [10, 1],
    [100, 2],
    [1_000, 20],
  ])('lets a busy account use at least 96 %% of %i calls a second', async (requests, burst) => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests, burst });
    const enter = () => gate.enter(pace, { waitMsMax: FOR_EVER });
    // One pipeline, so that the time of the round trips does not count.
    const [, first] = await Promise.all([
      enter(),
      gate.lastSlotMs(pace),
      ...Array.from({ length: requests }, enter),
    ]);
    const took = (await gate.lastSlotMs(pace)) - first;
    expect(took).toBeLessThan(pace.perMs / 0.96 + 50);
  });

  it('lets nothing wait while a slot is free', async () => {
    const redis = await aTestRedis();
    await fc.assert(
      fc.asyncProperty(paces, fc.integer({ min: 0, max: 5 }), async (pace, extra) => {
        const gate = aGate(redis);
        // After a pause of one whole window everything saved up is a burst, and no more than that.
        for (let i = 0; i < 3; i++) await gate.enter(pace, { waitMsMax: FOR_EVER });
        await gate.advance(pace.perMs * 5 + extra);
        const waits: number[] = [];
        for (let i = 0; i < pace.burst; i++) {
          const entered = await gate.enter(pace, { waitMsMax: FOR_EVER });
          waits.push(entered.kind === 'go' ? entered.waitMs : -1);
        }
        expect(waits).toEqual(waits.map(() => 0));
      }),
      { numRuns: 15, interruptAfterTimeLimit: 4_000 },
    );
  });

  it('says how long to wait when that is longer than the caller would, and keeps nothing for it', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 1, perMs: 60_000 });
    expect(await gate.enter(pace)).toMatchObject({ kind: 'go', waitMs: 0 });
    for (let i = 0; i < 3; i++) {
      const refused = await gate.enter(pace, { waitMsMax: 250 });
      expect(refused).toMatchObject({ kind: 'later', reason: 'pace' });
      if (refused.kind === 'later') {
        expect(refused.ms).toBeGreaterThan(59_000);
        expect(refused.ms).toBeLessThanOrEqual(60_015);
      }
    }
    await gate.advance(60_015);
    expect(await gate.enter(pace)).toMatchObject({ kind: 'go', waitMs: 0 });
  });

  it('does not let calls that left late fill a window with those behind them', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 2 });
    await gate.enter(pace);
    const second = await gate.enter(pace, { waitMsMax: FOR_EVER });
    await gate.advance(800);
    expect(await gate.again(second.lease, pace)).toMatchObject({ kind: 'go', waitMs: 0 });
    const third = await gate.enter(pace, { waitMsMax: FOR_EVER });
    await gate.advance(300);
    expect(await gate.again(third.lease, pace)).toMatchObject({ kind: 'go', waitMs: 0 });
    // Its slot is at about 1,520 ms, but two calls left since 800 ms.
    const fourth = await gate.enter(pace, { waitMsMax: FOR_EVER });
    await gate.advance(500);
    const asked = await gate.again(fourth.lease, pace);
    expect(asked.kind === 'go' && asked.waitMs).toBeGreaterThan(100);
    await gate.advance(250);
    expect(await gate.again(fourth.lease, pace)).toMatchObject({ kind: 'go', waitMs: 0 });
  });

  it('lets a call ask a little before its moment, and says when that is', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 10 });
    await gate.enter(pace);
    const waiting = await gate.enter(pace, { waitMsMax: 1_000 });
    if (waiting.kind !== 'go') throw new Error('refused');
    expect(waiting.waitMs).toBeGreaterThan(50);
    await gate.advance(waiting.waitMs - 30);
    let entered: Entered;
    do entered = await gate.again(waiting.lease, pace);
    while (entered.kind === 'go' && !entered.slot);
    const aheadMs = entered.kind === 'go' && entered.slot ? entered.slot.leaveAtMs - entered.slot.nowMs : 0;
    expect(aheadMs).toBeGreaterThan(0);
    expect(aheadMs).toBeLessThanOrEqual(15);
  });

  it('never lets more calls into any window than the limit allows, however late they leave', async () => {
    const redis = await aTestRedis();
    const lateness = fc.array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(400)), {
      minLength: 60,
      maxLength: 60,
    });
    const limits = fc.record({
      requests: fc.integer({ min: 1, max: 20 }),
      perMs: fc.constantFrom(250, 1_000),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.boolean(), lateness, async (limit, learns, lateMs) => {
        const gate = aGate(redis);
        const { pace, stated } = learns
          ? {
              pace: aPace({ requests: 100, learns }),
              stated: { limit: limit.requests, withinMs: 1_000, isAtLeast: false },
            }
          : { pace: aPace(limit), stated: undefined };
        const first = await gate.enter(pace);
        await gate.leave(first.lease, { stated, succeeded: true });
        await gate.advance(2 * pace.perMs);
        expect(
          fullestWindow(await leavingLate(gate, pace, lateMs), stated?.withinMs ?? pace.perMs),
        ).toBeLessThanOrEqual(limit.requests);
      }),
      { numRuns: 4 },
    );
  });

  it('holds over processes that ask at the same time', async () => {
    const gate = aGate(await aTestRedis());
    const pace = aPace({ requests: 50 });
    const entered = await Promise.all(
      Array.from({ length: 100 }, () => gate.enter(pace, { waitMsMax: FOR_EVER })),
    );
    const waits = entered.map((e) => (e.kind === 'go' ? e.waitMs : Number.NaN));
    // Each wait counts from the moment its own call was asked for.
    expect(fullestWindow(waits, 970)).toBeLessThanOrEqual(50);
    expect(Math.max(...waits)).toBeGreaterThan(1_900);
  });
});

type Waiting = { lease: string; atMs: number };

/** Calls that wait for their slots and leave so much later than at their moments. @returns when each left. */
async function leavingLate(gate: VirtualGate, pace: Pace, lateMs: number[]): Promise<number[]> {
  const waiting: Waiting[] = [];
  const left: number[] = [];
  const note = async ({ lease, entered }: { lease: string; entered: Entered }) => {
    if (entered.kind !== 'go') throw new Error(`refused: ${entered.reason}`);
    if (!entered.slot) {
      waiting.push({ lease, atMs: (await gate.nowMs()) + entered.waitMs });
      return;
    }
    const moment = gate.momentOf(entered.slot) + (lateMs[left.length] ?? 0);
    await gate.leftLate(entered.slot, moment);
    left.push(moment);
  };
  for (const _ of lateMs) {
    const { lease, ...entered } = await gate.enter(pace, { waitMsMax: FOR_EVER });
    await note({ lease, entered });
  }
  while (waiting.length > 0) {
    waiting.sort((a, b) => a.atMs - b.atMs);
    const next = waiting.shift();
    if (!next) break;
    await gate.advance(Math.max(0, next.atMs - (await gate.nowMs())));
    await note({ lease: next.lease, entered: await gate.again(next.lease, pace) });
  }
  return left;
}
