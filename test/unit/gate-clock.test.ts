import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGateClock } from '../../shared/providers/gate-clock.ts';

/** Our clock, and one of Redis that is `aheadMs` before it. */
function twoClocks(aheadMs: number) {
  let own = 5_000;
  let ahead = aheadMs;
  const clock = createGateClock(() => own);
  return {
    clock,
    errorMs: () => clock.nowMs() - (own + ahead),
    set: (ms: number) => {
      ahead += ms;
    },
    pass: (ms: number) => {
      own += ms;
    },
    /** A question that takes so long to reach Redis, and its answer so long to come back. */
    ask(thereMs: number, backMs: number) {
      const asked = own;
      own += thereMs;
      const there = own + ahead;
      own += backMs;
      clock.learn(asked, there);
    },
  };
}

describe('the clock of Redis', () => {
  it('is known within half a round trip', () => {
    const delay = fc.double({ min: 0.1, max: 30, noNaN: true });
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e12, noNaN: true }),
        fc.array(fc.tuple(delay, delay), { minLength: 1 }),
        (ahead, asked) => {
          const clocks = twoClocks(ahead);
          for (const [there, back] of asked) clocks.ask(there, back);
          const shortest = Math.min(...asked.map(([there, back]) => there + back));
          expect(Math.abs(clocks.errorMs())).toBeLessThanOrEqual(shortest / 2 + 0.001);
        },
      ),
    );
  });

  it('is known better by two answers of which each was quick one way', () => {
    const clocks = twoClocks(1_000_000);
    clocks.ask(0.2, 9);
    clocks.ask(14, 0.2);
    expect(Math.abs(clocks.errorMs())).toBeLessThan(0.2);
  });

  it('may be set', () => {
    const clocks = twoClocks(1_000_000);
    clocks.ask(1, 1);
    clocks.set(-400);
    clocks.ask(1, 1);
    expect(Math.abs(clocks.errorMs())).toBeLessThanOrEqual(1);
    clocks.set(700);
    clocks.ask(1, 1);
    expect(Math.abs(clocks.errorMs())).toBeLessThanOrEqual(1);
  });

  it('may drift', () => {
    const clocks = twoClocks(1_000_000);
    for (let second = 0; second < 600; second++) {
      clocks.ask(0.5, 0.5);
      clocks.pass(1_000);
      clocks.set(0.1);
    }
    expect(Math.abs(clocks.errorMs())).toBeLessThan(3);
  });
});
