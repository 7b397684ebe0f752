import { expect } from 'vitest';
import type { ProviderName } from '../../../shared/domain/integrated-account.ts';
import { until } from '../../support/until.ts';
import { createStories, group } from '../stories.ts';
import { aName, type Fault, MINIMUM, type Rig } from '../write-rig.ts';

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];

/** The look-ups of each provider, and nothing else of it: reads of live values go other ways. */
const LOOKS: Record<ProviderName, Fault['match']> = {
  salesforce: { method: 'GET', path: '/query' },
  close: { method: 'GET', path: '/event/' },
  capsule: { method: 'GET', path: '/opportunities' },
};

const { story, begin } = createStories(50_000);
let rig: Rig;

/** Begins every story of this file, on a rig of its own. */
export function tellReviews(on: Rig): void {
  rig = on;
  begin();
}

for (const provider of PROVIDERS)
  group(`at ${provider}`, () => {
    // One story, since its faults hit the look-ups of every job of the provider.
    story('what cannot be known is left to a person, and goes on by a person’s word', async () => {
      const account = await rig.connect(provider);
      await rig.settled(await rig.submit(account, { name: aName('Before') }));
      const name = aName('Nobody knows');
      await rig.faultOnCreate(provider, name, { kind: 'reset_after_commit' });
      await rig.fault(provider, { kind: 'status', status: 403, times: -1, match: LOOKS[provider] });
      const id = await rig.submit(account, { name });
      const job = await rig.settled(id);
      expect(job).toMatchObject({
        status: 'needs_review',
        error: { code: 'outcome_unknown' },
        inFlight: undefined,
      });
      expect(job.finishedAtMs).toBeUndefined();
      expect(await rig.creates(provider, name)).toHaveLength(1);

      // Under the same parent others are written meanwhile: nobody waits for the person.
      const other = await rig.settled(await rig.submit(account, { name: aName('Other') }));
      expect(other.status).toBe('succeeded');

      await rig.control('DELETE', `/faults?provider=${provider}`);
      const moved = await rig.jobs.move(job, {
        to: 'queued',
        newGeneration: true,
        patch: { unknownSends: [], probes: 0, error: undefined },
      });
      if (moved.kind !== 'moved') throw new Error(moved.kind);
      await rig.queues.add(account.id, id, moved.generation, 2);
      await rig.queues.activate(account.id);
      // "Not created" was that person's word, and is done as it says.
      expect(await rig.settled(id)).toMatchObject({ status: 'succeeded', attemptNumber: 2 });
      expect(await rig.creates(provider, name)).toHaveLength(2);

      // A look-up that fails for a while is repeated.
      const later = aName('Later known');
      await rig.faultOnCreate(provider, later, { kind: 'reset_after_commit' });
      await rig.fault(provider, { kind: 'status', status: 503, times: 2, match: LOOKS[provider] });
      const found = await rig.settled(await rig.submit(account, { name: later }));
      expect(found).toMatchObject({ status: 'succeeded', attemptNumber: 1 });
      expect(await rig.creates(provider, later)).toHaveLength(1);
    });

    story('a job in doubt whose request no longer fits the account is left to a person at once', async () => {
      const account = await rig.connect(provider);
      await rig.settled(await rig.submit(account, { name: aName('Before') }));
      const name = aName('No longer fits');
      await rig.faultOnCreate(provider, name, { kind: 'reset_after_commit' });
      const stage = { name: provider === 'salesforce' ? 'Prospecting' : 'Qualified' };
      const id = await rig.submit(account, { ...MINIMUM[provider], stage, name });
      await until('reconciling', async () => (await rig.job(id)).waitReason === 'reconciling', {
        withinMs: 10_000,
      });
      const facts = await rig.accounts.facts(account.id);
      if (!facts) throw new Error('no facts');
      await rig.accounts.putFacts(account.id, { ...facts, fetchedAtMs: Date.now(), stages: [] });
      const job = await rig.settled(id);
      if (job.status === 'succeeded') {
        // The look-up was quicker than the change: then it is found as ever.
        expect(job.attempts[0]?.outcome).toBe('reconciled');
      } else expect(job).toMatchObject({ status: 'needs_review', error: { code: 'outcome_unknown' } });
      expect(await rig.creates(provider, name)).toHaveLength(1);
    });
  });
