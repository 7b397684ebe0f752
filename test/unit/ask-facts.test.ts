import { expect, it } from 'vitest';
import type { Account } from '../../shared/stores/account-store.ts';
import { createAskFacts } from '../../shared/use-cases/ask-facts.ts';

const FACTS = { fetchedAtMs: 1 };
// Nothing of an account but its id is read.
const anAccount = (id: string) => ({ id }) as Account;

/** Live values that a worker brings, or does not. */
function aFactsAsker(brings: boolean) {
  const asked: string[] = [];
  const clock = { now: 0, nowMs: () => clock.now };
  const queries = {
    ask: async ({ id }: Account) => {
      asked.push(id);
      return brings
        ? { ok: true as const, value: FACTS, at_ms: 0 }
        : { ok: false as const, code: 'query_timed_out', message: 'no worker', at_ms: 0 };
    },
  };
  return { asked, clock, askFacts: createAskFacts({ queries, clock }) };
}

it('brings what a worker says', async () => {
  expect(await aFactsAsker(true).askFacts(anAccount('a'))).toEqual(FACTS);
});

it('waits for nobody again for half a minute after nothing came, and only for that account', async () => {
  const { asked, clock, askFacts } = aFactsAsker(false);
  expect(await askFacts(anAccount('a'))).toBeUndefined();
  clock.now = 29_999;
  expect(await askFacts(anAccount('a'))).toBeUndefined();
  await askFacts(anAccount('b'));
  expect(asked).toEqual(['a', 'b']);
  clock.now = 30_000;
  await askFacts(anAccount('a'));
  expect(asked).toEqual(['a', 'b', 'a']);
});
