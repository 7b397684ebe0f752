import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { createGate } from '../../shared/providers/gate.ts';
import { passGate } from '../../shared/providers/pass-gate.ts';
import { createPlaces } from '../../shared/providers/places.ts';
import { aTestRedis } from '../support/redis.ts';
import { aPace } from './gate-support.ts';

/** A call to an account whose window is used up for so long. @param patienceMs how long it would wait in place. */
async function passUsedUp(resetMs: number, patienceMs: number) {
  const { redis, keys } = await aTestRedis();
  const account = randomUUID();
  const gate = createGate({ redis, keys, partitions: 1, processId: 'test' });
  const pace = aPace({ requests: 1_000 });
  const call = { account, pace, host: 'crm.example', patienceMs, timeoutMs: 1_000 };
  const deps = { gate, places: createPlaces(100), clock: systemClock };
  const first = await passGate(deps, call);
  if (first.kind !== 'go') throw new Error('the first call did not pass');
  const beganMs = Date.now();
  await first.leave({ learned: { limit: 10, remaining: 0, resetAtMs: beganMs + resetMs }, succeeded: true });
  return { passed: await passGate(deps, call), beganMs };
}

it('waits in place for a window that is over in a moment', async () => {
  const { passed, beganMs } = await passUsedUp(300, 2_000);
  expect(passed.kind).toBe('go');
  // Redis has a clock of its own, and both are read in whole milliseconds here.
  expect(Date.now() - beganMs).toBeGreaterThanOrEqual(298);
});

/** The second of two calls whose place is to be had only so long after its slot has come; until then it waits in place. */
async function passLate(byMs: number, perMs: number) {
  const { redis, keys } = await aTestRedis();
  const account = randomUUID();
  const gate = createGate({ redis, keys, partitions: 1, processId: 'test' });
  const pace = aPace({ requests: 1, perMs });
  const call = { account, pace, host: 'crm.example', patienceMs: perMs * 1.5, timeoutMs: 1_000 };
  let taken = 0;
  const places = {
    ...createPlaces(100),
    take: async () => {
      if (++taken === 3) await sleep(byMs);
      return () => {};
    },
  };
  const deps = { gate, places, clock: systemClock };
  await passGate(deps, call);
  const beganMs = Date.now();
  const passed = await passGate(deps, call);
  return { kind: passed.kind, afterMs: Date.now() - beganMs };
}

it('keeps its slot when its place comes a moment late: at a slow pace the next one is far away', async () => {
  expect((await passLate(40, 1_000)).kind).toBe('go');
});

it('lets it go when it would bunch up with the next one', async () => {
  // Late it would leave after 1,715 ms, with the slot that follows after 2,030.
  expect((await passLate(700, 1_000)).afterMs).toBeGreaterThan(1_900);
});

it('gives its place back where that takes longer than it would wait', async () => {
  const { passed } = await passUsedUp(30_000, 2_000);
  expect(passed).toMatchObject({ kind: 'later', reason: 'budget' });
  expect(passed.kind === 'later' && passed.ms).toBeGreaterThan(28_000);
});
