import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { createGate } from '../../shared/providers/gate.ts';
import { createGiveWay } from '../../shared/providers/give-way.ts';
import { passGate } from '../../shared/providers/pass-gate.ts';
import { createPlaces } from '../../shared/providers/places.ts';
import { aTestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { aPace } from './gate-support.ts';

/** An account that may make a call a minute, after its first. */
async function aSlowAccount() {
  const { redis, keys } = await aTestRedis();
  const account = randomUUID();
  const giveWay = createGiveWay();
  const places = createPlaces(100);
  const gate = createGate({ redis, keys, partitions: 1, processId: 'test' });
  const pass = (isBulk: boolean) =>
    passGate(
      { gate, giveWay, places, clock: systemClock },
      {
        account,
        pace: aPace({ requests: 1, perMs: 60_000 }),
        host: 'crm.example',
        patienceMs: 600_000,
        timeoutMs: 1_000,
        isBulk,
      },
    );
  expect(await pass(true)).toMatchObject({ kind: 'go' });
  const held = () => redis.zcard(keys.leases(0, account));
  return { account, giveWay, pass, held };
}

it('bulk work that waits in place for its turn makes way for a single create, and gives its slot back', async () => {
  const { account, giveWay, pass, held } = await aSlowAccount();
  const waiting = pass(true);
  await until('it has a slot', async () => (await held()) === 2);
  giveWay.ask(account);
  const passed = await waiting;
  expect(passed).toMatchObject({ kind: 'later', reason: 'reserve' });
  // It comes back for its turn, and not to be turned away again.
  expect(passed.kind === 'later' && passed.ms).toBeGreaterThan(55_000);
  await until('the slot is given back', async () => (await held()) === 1);
});

it('only one of them does, and none of another account', async () => {
  const [one, other] = await Promise.all([aSlowAccount(), aSlowAccount()]);
  const ended: string[] = [];
  for (const [name, of] of Object.entries({ one, other })) {
    for (let i = 0; i < 2; i++) of.pass(true).then(() => ended.push(name));
    await until('both wait', async () => (await of.held()) === 3);
  }
  one.giveWay.ask(one.account);
  await until('one has made way', () => ended.length > 0);
  other.giveWay.ask(one.account);
  await until('its slot is given back', async () => (await one.held()) === 2);
  expect([ended, await other.held()]).toEqual([['one'], 3]);
});

it('a single create that waits is not asked', async () => {
  const { account, giveWay, pass, held } = await aSlowAccount();
  let isOver = false;
  pass(false).then(() => {
    isOver = true;
  });
  await until('it has a slot', async () => (await held()) === 2);
  giveWay.ask(account);
  await new Promise(setImmediate);
  expect([isOver, await held()]).toEqual([false, 2]);
});

it('bulk work that begins to wait just after it was asked makes way, too, but only once', async () => {
  const { account, giveWay, pass, held } = await aSlowAccount();
  giveWay.ask(account);
  expect(await pass(true)).toMatchObject({ kind: 'later', reason: 'reserve' });
  pass(true);
  await until('the next one has a slot', async () => (await held()) === 2);
});
