import { expect } from 'vitest';
import { makeId } from '../../../sandbox/salesforce/ids.ts';
import type { AccountSettings, ProviderName } from '../../../shared/domain/integrated-account.ts';
import { until } from '../../support/until.ts';
import { createStories, group } from '../stories.ts';
import { aName, type Fault, HASTY, type LoggedCall, type Rig } from '../write-rig.ts';

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];
const PACED: AccountSettings = { ...HASTY, rate_limit: { requests: 20, per_seconds: 1 } };
/** The same in a window longer than the two seconds that a limit without a time is rested for: a shorter one would end the rest. */
const LONG_WINDOW: AccountSettings = { ...HASTY, rate_limit: { requests: 80, per_seconds: 4 } };

/** From the moment an answer is on its way until every worker acts on it, on a loaded machine. */
const NOTICED_MS = 400;

/** A limit answer that says nothing of when to come back, in each provider's own words. */
const SPEECHLESS: Record<ProviderName, Fault> = {
  salesforce: {
    kind: 'status',
    status: 403,
    body: [{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'Limit exceeded.' }],
  },
  close: { kind: 'status', status: 429, body: {} },
  capsule: { kind: 'status', status: 429, body: { error: 'rate limit reached' } },
};

const { story, begin } = createStories();
let rig: Rig;

/** Begins every story of this file, on a rig that others use too. */
export function tellLimits(on: Rig): void {
  rig = on;
  begin();
}

/** Creates that began while the account should have stood still. */
function tooEarly(calls: LoggedCall[], limitedStatus: number, forMs: number): number[] {
  const hit = calls.find(({ status }) => status === limitedStatus);
  if (hit?.endedAtMs === undefined) throw new Error('nothing was limited');
  const { endedAtMs } = hit;
  // As milliseconds after the answer.
  return calls
    .map(({ startedAtMs }) => startedAtMs - endedAtMs)
    .filter((ms) => ms > NOTICED_MS && ms < forMs - 20);
}

for (const provider of PROVIDERS)
  group(`a limit of ${provider}`, () => {
    const limited = provider === 'salesforce' ? 403 : 429;

    story('with a stated time stops the whole account until then, and spends no attempt', async () => {
      const account = await rig.connect(provider, PACED);
      const name = aName('Stated');
      await rig.faultOnCreate(provider, name, { kind: 'rate_limit', retry_after_s: 2, skip: 3 });
      const ids = await Promise.all(
        Array.from({ length: 25 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
      );
      const jobs = await Promise.all(ids.map((id) => rig.settled(id)));
      const creates = await rig.creates(provider, name);
      expect(tooEarly(creates, limited, 2_000)).toEqual([]);
      expect(creates).toHaveLength(26);
      expect(jobs.every(({ status, attemptsSpent }) => status === 'succeeded' && attemptsSpent === 0)).toBe(
        true,
      );
      const hit = jobs.filter(({ attemptNumber }) => attemptNumber === 2);
      expect(hit).toHaveLength(1);
      expect(hit[0]?.attempts.map(({ outcome }) => outcome)).toEqual(['rate_limited', 'succeeded']);
    });

    story('without a time stops the account for a while of ours', async () => {
      const account = await rig.connect(provider, LONG_WINDOW);
      const name = aName('Unstated');
      await rig.faultOnCreate(provider, name, { ...SPEECHLESS[provider], skip: 2 });
      const ids = await Promise.all(
        Array.from({ length: 12 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
      );
      const jobs = await Promise.all(ids.map((id) => rig.settled(id)));
      const creates = await rig.creates(provider, name);
      expect(tooEarly(creates, limited, 2_000)).toEqual([]);
      expect(creates).toHaveLength(13);
      expect(jobs.every(({ status, attemptsSpent }) => status === 'succeeded' && attemptsSpent === 0)).toBe(
        true,
      );
    });

    story('shows on the job as a wait with its reason and its end', async () => {
      const account = await rig.connect(provider, PACED);
      const name = aName('Shown');
      await rig.faultOnCreate(provider, name, { kind: 'rate_limit', retry_after_s: 60 });
      const id = await rig.submit(account, { name });
      await until('rate_limited', async () => (await rig.job(id)).waitReason === 'rate_limited', {
        withinMs: 10_000,
      });
      const { nextAttemptAtMs = 0, attempts, status } = await rig.job(id);
      expect(status).toBe('waiting');
      // Capsule states whole seconds.
      expect(nextAttemptAtMs - Date.now()).toBeGreaterThan(55_000);
      expect(nextAttemptAtMs - Date.now()).toBeLessThan(62_000);
      expect(attempts).toEqual([
        expect.objectContaining({ outcome: 'rate_limited', code: 'provider_rate_limited' }),
      ]);
      expect(await rig.creates(provider, name)).toHaveLength(1);
    });

    story('of one account is none of another', async () => {
      const [first, second] = [await rig.connect(provider, PACED), await rig.connect(provider, PACED)];
      const name = aName('Held up');
      await rig.faultOnCreate(provider, name, { kind: 'rate_limit', retry_after_s: 60 });
      const id = await rig.submit(first, { name });
      await until('rate_limited', async () => (await rig.job(id)).waitReason === 'rate_limited', {
        withinMs: 10_000,
      });
      const other = await rig.settled(await rig.submit(second, { name: aName('Free') }));
      expect(other.status).toBe('succeeded');
    });
  });

story('a locked row of Salesforce holds up only what hangs on it', async () => {
  const account = await rig.connect('salesforce', PACED);
  const name = aName('Locked');
  await rig.faultOnCreate('salesforce', name, { kind: 'lock_row', times: 2 });
  const id = await rig.submit(account, { name });
  const others = await Promise.all(
    Array.from({ length: 5 }, () => rig.submit(account, { name: aName('Unlocked') })),
  );
  await Promise.all(others.map((other) => rig.settled(other)));
  const job = await rig.settled(id);
  expect(job).toMatchObject({ status: 'succeeded', attemptsSpent: 0, attemptNumber: 3 });
  expect(job.attempts.map(({ code }) => code)).toEqual([
    'provider_row_locked',
    'provider_row_locked',
    undefined,
  ]);
  expect(await rig.records('salesforce', name)).toHaveLength(1);
});

story('locks under one account of Salesforce slow down only what hangs on it', async () => {
  const account = await rig.connect('salesforce', {
    ...PACED,
    rate_limit: { requests: 200, per_seconds: 1 },
  });
  const [locked, free] = [makeId('001', 1), makeId('001', 2)];
  const name = aName('Hot');
  await rig.control('POST', '/faults', {
    provider: 'salesforce',
    kind: 'lock_row',
    times: 6,
    match: { path: '/sobjects/Opportunity', body: `${name} locked` },
  });
  const under = (parent: string, what: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        rig.submit(account, { name: `${name} ${what} #${i}`, account: { id: parent } }),
      ),
    );
  const held = await under(locked, 'locked', 12);
  const others = await under(free, 'free', 12);
  const freed = await Promise.all(others.map((id) => rig.settled(id)));
  const jobs = await Promise.all(held.map((id) => rig.settled(id, 50_000)));
  for (const job of [...freed, ...jobs]) expect(job).toMatchObject({ status: 'succeeded', attemptsSpent: 0 });
  expect(freed.every(({ attemptNumber }) => attemptNumber === 1)).toBe(true);
  const key = rig.keys.parentLocks(rig.accounts.partitionOf(account.id), account.id, locked);
  expect(Number(await rig.redis.hget(key, 'cap'))).toBeGreaterThanOrEqual(1);
  expect(Number(await rig.redis.hget(key, 'cap'))).toBeLessThan(8);
  const freeKey = rig.keys.parentLocks(rig.accounts.partitionOf(account.id), account.id, free);
  expect(await rig.redis.exists(freeKey)).toBe(0);
  expect(await rig.records('salesforce', name)).toHaveLength(24);
});
