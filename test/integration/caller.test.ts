import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { createCaller } from '../../shared/providers/caller.ts';
import { createGate, type Farewell } from '../../shared/providers/gate.ts';
import { createPlaces } from '../../shared/providers/places.ts';
import { createProviderClock } from '../../shared/providers/provider-clock.ts';
import type { Send } from '../../shared/providers/send.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { aTestRedis } from '../support/redis.ts';

/** A caller of an account whose calls end as `send` says. */
async function aCaller(send: Send) {
  const { redis, keys } = await aTestRedis();
  const account: Account = {
    id: randomUUID(),
    workspace: 'default',
    name: 'Hanging',
    provider: 'close',
    status: 'active',
    settings: { timeout_ms: 10_000, rate_limit: { requests: 10_000, per_seconds: 1, concurrency: 50 } },
    createdAtMs: 0,
    updatedAtMs: 0,
    credentialsVersion: 1,
    revision: 1,
    heldMs: 0,
  };
  const gate = createGate({ redis, keys, partitions: 1, processId: 'test' });
  const told = vi.spyOn(gate, 'say');
  const caller = createCaller({
    gate,
    places: createPlaces(200),
    send,
    credentialsOf: async () => ({ credentials: { type: 'api_key', api_key: 'k' }, version: 1, grant: 1 }),
    refresher: {
      refresh: async () => ({ kind: 'dead', message: 'nothing expires here' }),
      idle: async () => {},
    },
    clock: systemClock,
    providerClock: createProviderClock(),
  });
  return { call: caller(account), caller, account, told, redis, gateKey: keys.gate(0, account.id) };
}

const ASKED = { method: 'GET', path: '/me/', purpose: 'look_up' } as const;

it('calls that hang together give up one after the other, and none later than the account says', async () => {
  const timeoutsMs: number[] = [];
  const { call } = await aCaller(async ({ timeoutMs }) => {
    timeoutsMs.push(timeoutMs);
    return { kind: 'unanswered', code: 'provider_no_answer', message: 'no answer' };
  });
  // One fewer than open the circuit.
  for (let i = 0; i < 4; i++) await call(ASKED);
  expect(timeoutsMs).toHaveLength(4);
  expect(new Set(timeoutsMs).size).toBeGreaterThan(1);
  for (const ms of timeoutsMs) {
    expect(ms).toBeLessThanOrEqual(10_000);
    expect(ms).toBeGreaterThanOrEqual(9_700);
  }
});

it('a call that was not sent takes nothing of a known budget', async () => {
  const { call, redis, gateKey } = await aCaller(async () => ({
    kind: 'not_sent',
    code: 'provider_unreachable',
    message: 'ECONNREFUSED',
  }));
  await redis.hset(gateKey, { rem: 5, rem_reset: Date.now() + 60_000 });
  await call(ASKED);
  // The gate is told, and not waited for.
  await expect.poll(() => redis.hget(gateKey, 'rem')).toBe('5');
  await expect.poll(() => redis.hget(gateKey, 'downs')).toBe('1');
  expect(await redis.hget(gateKey, 'rem')).toBe('5');
});

it.each([
  [200, 'is left to who takes it over', 0],
  [400, 'is told at once when it did not go well', 1],
])('the end of a call that was answered %i %s', async (status, _, toldAtOnce) => {
  const { caller, account, told, redis, gateKey } = await aCaller(async () => ({
    kind: 'answered',
    status,
    headers: { ratelimit: 'limit=100; remaining=50; reset=60' },
    body: {},
    receivedAtMs: Date.now(),
  }));
  const farewells: Farewell[] = [];
  await caller(account, { onFarewell: (farewell) => farewells.push(farewell) })(ASKED);
  expect(farewells).toHaveLength(1 - toldAtOnce);
  expect(told).toHaveBeenCalledTimes(toldAtOnce);
  for (const { say } of farewells) say();
  expect(told).toHaveBeenCalledTimes(1);
  await expect.poll(() => redis.zcard(`${gateKey}:leases`)).toBe(0);
  expect(await redis.hget(gateKey, 'rem')).toBe('50');
});

it('the end of a call that was told with a write is not told again', async () => {
  const { caller, account, told } = await aCaller(async () => ({
    kind: 'answered',
    status: 200,
    headers: {},
    body: {},
    receivedAtMs: Date.now(),
  }));
  let farewell: Farewell | undefined;
  await caller(account, {
    onFarewell: (own) => {
      farewell = own;
    },
  })(ASKED);
  farewell?.said([1, 0, '']);
  farewell?.say();
  expect(farewell).toBeDefined();
  expect(told).not.toHaveBeenCalled();
});
