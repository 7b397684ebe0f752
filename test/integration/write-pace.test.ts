import { afterAll, beforeAll, expect } from 'vitest';
import type { AccountSettings, ProviderName } from '../../shared/domain/integrated-account.ts';
import { fullestWindow } from './gate-support.ts';
import { createStories } from './stories.ts';
import { aName, HASTY, type Rig, startRig } from './write-rig.ts';

const PACED: AccountSettings = { ...HASTY, rate_limit: { requests: 20, per_seconds: 1 } };

const { story, begin } = createStories();
let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ workers: 2, sandboxApart: true });
  await rig.control('POST', '/limits', { provider: 'close', requests: 20, per_seconds: 1, latency_ms: 20 });
  begin();
});
afterAll(() => rig?.close());

async function drain(provider: ProviderName) {
  const account = await rig.connect(provider, PACED);
  // The account's live values are read before: they count against the limit too.
  await rig.settled(await rig.submit(account, { name: aName('First') }));
  const name = aName('Backlog');
  const ids = await Promise.all(
    Array.from({ length: 100 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
  );
  const jobs = await Promise.all(ids.map((id) => rig.settled(id, 30_000)));
  expect(jobs.every(({ status }) => status === 'succeeded')).toBe(true);
  const creates = await rig.creates(provider, name);
  const refused = creates.filter(({ status }) => status === 429).length;
  const starts = creates.map(({ startedAtMs }) => startedAtMs).sort((a, b) => a - b);
  const seconds = ((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1_000;
  expect(creates.length - refused).toBe(100);
  return { refused, starts, seconds };
}

story('two workers drain a backlog at Close at its limit, and hardly ever meet that limit', async () => {
  const { refused, seconds } = await drain('close');
  // Each costs a wait until the window is over; on a loaded machine a call may arrive late by many milliseconds.
  expect(refused).toBeLessThanOrEqual(5);
  // 100 calls at 20 a second take five seconds.
  expect(seconds).toBeLessThan(13);
});

story('two workers keep to one pace together where the provider says nothing of it', async () => {
  const { starts, seconds } = await drain('capsule');
  expect(seconds).toBeGreaterThan(4.8);
  expect(seconds).toBeLessThan(12);
  expect(fullestWindow(starts, 900)).toBeLessThanOrEqual(22);
});

story('an account of one call a second, one at a time, is written to', async () => {
  const account = await rig.connect('close', {
    ...HASTY,
    rate_limit: { requests: 1, per_seconds: 1, concurrency: 1 },
  });
  // Its live values take half a dozen calls, and are of use only together.
  const job = await rig.settled(await rig.submit(account, { name: aName('Slow') }), 25_000);
  expect(job.status).toBe('succeeded');
});
