import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlaces } from '../../shared/providers/places.ts';
import { createProviderClock } from '../../shared/providers/provider-clock.ts';

/** Resolves once everything that can go on has gone on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('places for calls in flight', () => {
  it('never exceed the total nor half of it per host, and nobody waits while one fits', async () => {
    const step = fc.oneof(
      fc.record({ take: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ release: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(step, { maxLength: 60 }),
        async (total, steps) => {
          const places = createPlaces(total);
          const perHost = Math.max(1, Math.ceil(total / 2));
          const holding: { host: string; release: () => void }[] = [];
          const waiting: string[] = [];
          const count = (host: string) => holding.filter((held) => held.host === host).length;
          for (const action of steps) {
            if ('take' in action) {
              const host = action.take;
              waiting.push(host);
              places.take(host).then((release) => {
                waiting.splice(waiting.indexOf(host), 1);
                holding.push({ host, release });
              });
            } else {
              const [held] = holding.splice(action.release % Math.max(1, holding.length), 1);
              const next = waiting.find((host) => count(host) < perHost);
              const before = holding.length;
              held?.release();
              await settle();
              // Whoever came first of those that fit.
              if (held) expect(holding.slice(before).map(({ host }) => host)).toEqual(next ? [next] : []);
              // A second time is nothing.
              held?.release();
            }
            await settle();
            expect(holding.length).toBeLessThanOrEqual(total);
            expect(places.state()).toEqual({ free: total - holding.length, waiting: waiting.length });
            for (const host of ['a', 'b', 'c']) expect(count(host)).toBeLessThanOrEqual(perHost);
            for (const host of waiting)
              expect(holding.length === total || count(host) === perHost).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are given in the order of arrival; only a full host is passed over', async () => {
    const places = createPlaces(2);
    const first = await places.take('slow');
    const order: string[] = [];
    const second = places.take('slow').then((release) => {
      order.push('slow');
      return release;
    });
    const other = await places.take('quick');
    const third = places.take('quick').then((release) => {
      order.push('quick');
      return release;
    });
    other();
    (await third)();
    first();
    (await second)();
    expect(order).toEqual(['quick', 'slow']);
  });
});

describe('the provider’s clock', () => {
  it('is ours until it says otherwise, and follows its Date header afterwards', () => {
    const clock = createProviderClock();
    const now = Date.UTC(2026, 2, 1, 12);
    expect(clock.at('a', now)).toBe(now);
    clock.learn('a', new Date(now + 90_000).toUTCString(), now);
    expect(clock.at('a', now + 5)).toBe(now + 90_005);
    expect(clock.at('b', now)).toBe(now);
  });

  it.each([undefined, '', 'yesterday', 'Thu, 01 Jan 1970 00:00:00 GMT'])('does not believe %j', (header) => {
    const clock = createProviderClock();
    clock.learn('a', header, Date.UTC(2026, 2, 1));
    expect(clock.at('a', 5)).toBe(5);
  });
});
