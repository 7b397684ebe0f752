import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { createGate } from '../../shared/providers/gate.ts';
import { passGate } from '../../shared/providers/pass-gate.ts';
import { createPlaces } from '../../shared/providers/places.ts';
import { aTestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
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

/**
 * The second of two calls, a second apart, whose place is to be had only so long after its slot has come; until then it waits in place.
 * @param factor of the account's pace by which it goes, as after limits that nobody had stated.
 */
async function passLate(byMs: number, factor = 1) {
  const { redis, keys } = await aTestRedis();
  const account = randomUUID();
  const gate = createGate({ redis, keys, partitions: 1, processId: 'test' });
  const pace = aPace({ requests: 1, perMs: 1_000 * factor, learns: true });
  const gateKey = keys.gate(0, account);
  // A budget is known, too.
  await redis.hset(gateKey, { factor, rem: 10, rem_reset: Date.now() + 60_000 });
  const call = { account, pace, host: 'crm.example', patienceMs: 1_500, timeoutMs: 1_000 };
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
  return { kind: passed.kind, afterMs: Date.now() - beganMs, left: await redis.hget(gateKey, 'rem') };
}

it('keeps its slot when its place comes a moment late: at a slow pace the next one is far away', async () => {
  expect((await passLate(40)).kind).toBe('go');
});

it('goes by the pace it has now, not by the one that was set', async () => {
  // Set are 20 a second, of which half an interval is 25 ms.
  expect((await passLate(80, 0.05)).kind).toBe('go');
});

it('lets it go when it would bunch up with the next one', async () => {
  const { afterMs, left } = await passLate(700);
  // Late it would leave after 1,715 ms, with the slot that follows after 2,030.
  expect(afterMs).toBeGreaterThan(1_900);
  // Two calls of ten: what was taken for the slot it let go came back.
  expect(left).toBe('8');
});

it('gives its place back where that takes longer than it would wait', async () => {
  const { passed } = await passUsedUp(30_000, 2_000);
  expect(passed).toMatchObject({ kind: 'later', reason: 'budget' });
  expect(passed.kind === 'later' && passed.ms).toBeGreaterThan(28_000);
});

it('gives its lease back later where the gate cannot be told: nothing waits for it to expire', async () => {
  const { redis, keys } = await aTestRedis();
  const account = randomUUID();
  const gate = createGate({ redis, keys, partitions: 1, processId: 'test' });
  const refusing = { ...gate };
  const said: string[] = [];
  refusing.say = async (part) => {
    said.push(String(part.args[0]));
    if (said.length < 2) throw new Error('NOREPLICAS Not enough good replicas to write.');
    return gate.say(part);
  };
  const call = { account, pace: aPace({}), host: 'crm.example', patienceMs: 1_500, timeoutMs: 1_000 };
  const passed = await passGate({ gate: refusing, places: createPlaces(100), clock: systemClock }, call);
  if (passed.kind !== 'go') throw new Error('the call did not pass');
  const held = () => redis.zcard(keys.leases(0, account));
  expect(await passed.leave({ learned: { remaining: 5, resetAtMs: Date.now() + 60_000 } })).toEqual({
    blockedMs: 0,
  });
  expect(await held()).toBe(1);
  await until('the lease is given back', async () => (await held()) === 0);
  // By then nobody knows any more what was left.
  expect(await redis.hget(keys.gate(0, account), 'rem')).toBeNull();
});
