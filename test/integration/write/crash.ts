import { expect } from 'vitest';
import type { ProviderName } from '../../../shared/domain/integrated-account.ts';
import { until } from '../../support/until.ts';
import { createStories } from '../stories.ts';
import { aName, HASTY, type Rig } from '../write-rig.ts';

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];

const { story, begin } = createStories(55_000);
let rig: Rig;
/** Resolves when the first worker was killed and another one took its place. */
const { promise: replaced, resolve: onReplaced } = Promise.withResolvers<void>();
const underWay: Promise<unknown>[] = [];

/** Begins every story of this file, and kills the worker under them. */
export async function tellCrashes(on: Rig): Promise<void> {
  rig = on;
  begin();
  // Every story has its call on the wire before the worker dies.
  await Promise.all(underWay);
  await rig.workers[0]?.kill();
  await rig.addWorker();
  onReplaced();
}

/** Submits a create that stays without an answer, and waits until it is on the wire. */
async function onTheWire(provider: ProviderName, what: string, kind: string) {
  const account = await rig.connect(provider, { ...HASTY, timeout_ms: 6_000 });
  const name = aName(what);
  await rig.faultOnCreate(provider, name, { kind });
  const id = await rig.submit(account, { name });
  await until('the call is on the wire', async () => (await rig.creates(provider, name)).length === 1);
  return { id, name, account };
}

for (const provider of PROVIDERS) {
  story(`a worker killed after ${provider} wrote leaves one record, which is found`, async () => {
    const begun = onTheWire(provider, 'Killed after', 'hang_after_commit');
    underWay.push(begun);
    const { id, name } = await begun;
    expect(await rig.job(id)).toMatchObject({ status: 'running', inFlight: { attempt: 1 } });
    await replaced;
    const job = await rig.settled(id, 45_000);
    expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 1 });
    expect(job.attempts).toEqual([expect.objectContaining({ outcome: 'reconciled' })]);
    expect(await rig.records(provider, name)).toHaveLength(1);
    expect(await rig.creates(provider, name)).toHaveLength(1);
  });
}

story(
  'a worker killed before the provider wrote sends again only after the last moment it could have',
  async () => {
    const begun = onTheWire('close', 'Killed before', 'hang_before_commit');
    underWay.push(begun);
    const { id, name } = await begun;
    const { inFlight } = await rig.job(id);
    await replaced;
    const job = await rig.settled(id, 50_000);
    expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 2, attemptsSpent: 1 });
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['ambiguous', 'succeeded']);
    const [, second] = await rig.creates('close', name);
    const lastMoment = (inFlight?.sendBeforeMs ?? 0) + (inFlight?.timeoutMs ?? 0);
    expect(second?.startedAtMs).toBeGreaterThanOrEqual(lastMoment);
    expect(await rig.records('close', name)).toHaveLength(1);
  },
);

story('a job whose API died before it queued it is queued by the sweep', async () => {
  const account = await rig.connect('close');
  const name = aName('Orphan');
  const begun = rig.submit(account, { name }, {}, { queue: true, bell: true });
  underWay.push(begun);
  const id = await begun;
  const job = await rig.settled(id);
  expect(job).toMatchObject({ status: 'succeeded', generation: 2 });
  expect(await rig.records('close', name)).toHaveLength(1);
});

story('a job whose bell nobody heard is found by the sweep', async () => {
  const account = await rig.connect('capsule');
  const name = aName('Unheard');
  const begun = rig.submit(account, { name }, {}, { bell: true });
  underWay.push(begun);
  expect((await rig.settled(await begun)).status).toBe('succeeded');
  expect(await rig.records('capsule', name)).toHaveLength(1);
});

story('a queue that was lost with everything in it is filled again from the records', async () => {
  const account = await rig.connect('close');
  await rig.accounts.setStatus(account.id, 'paused');
  await rig.queues.pause(account.id);
  const name = aName('Obliterated');
  const ids = await Promise.all(
    Array.from({ length: 10 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
  );
  await rig.queues.obliterate(account.id);
  await rig.accounts.setStatus(account.id, 'active');
  await rig.queues.resume(account.id);
  for (const id of ids) expect((await rig.settled(id)).status).toBe('succeeded');
  expect(await rig.records('close', name)).toHaveLength(10);
});
