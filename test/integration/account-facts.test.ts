import { randomBytes, randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import { partitionOfAccount } from '../../shared/redis/partitions.ts';
import { createAccountStore } from '../../shared/stores/account-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import { aTestRedis } from '../support/redis.ts';

const FACTS: AccountFacts = {
  fetchedAtMs: 1,
  stages: [],
  owners: [],
  customFields: [],
  currency: { mode: 'none' },
  user: { id: 'u', name: 'Ann' },
  features: {},
};

it('live values are parsed once for as long as they stay the same, and read anew when another process wrote others', async () => {
  const { redis, keys } = await aTestRedis();
  const box = createSealedBox([{ id: 'k', key: randomBytes(32) }]);
  const aStore = () => createAccountStore({ redis, keys, partitions: 4, clock: systemClock, box });
  const [store, other] = [aStore(), aStore()];
  const account = randomUUID();
  expect(await store.facts(account)).toBeUndefined();
  await store.putFacts(account, FACTS);
  const first = await store.facts(account);
  expect(first).toEqual(FACTS);
  expect(await store.facts(account)).toBe(first);
  await other.putFacts(account, { ...FACTS, fetchedAtMs: 2 });
  expect(await store.facts(account)).toEqual({ ...FACTS, fetchedAtMs: 2 });
  await store.remove(account);
  expect(await store.facts(account)).toBeUndefined();
});

it('live values that did not change are not sent again', async () => {
  const { redis, keys } = await aTestRedis();
  const box = createSealedBox([{ id: 'k', key: randomBytes(32) }]);
  const store = createAccountStore({ redis, keys, partitions: 4, clock: systemClock, box });
  const account = randomUUID();
  await store.putFacts(account, FACTS);
  const get = vi.spyOn(redis, 'get');
  expect(await store.facts(account)).toEqual(FACTS);
  expect(get).not.toHaveBeenCalled();
});

it('live values an older version wrote, without saying first when, are read as they are', async () => {
  const { redis, keys } = await aTestRedis();
  const box = createSealedBox([{ id: 'k', key: randomBytes(32) }]);
  const store = createAccountStore({ redis, keys, partitions: 4, clock: systemClock, box });
  const account = randomUUID();
  const { fetchedAtMs, ...values } = FACTS;
  for (const name of ['Ann', 'Bob']) {
    const old = { ...values, user: { id: 'u', name }, fetchedAtMs };
    await redis.set(keys.facts(partitionOfAccount(account, 4), account), JSON.stringify(old));
    expect(await store.facts(account)).toEqual(old);
  }
});
