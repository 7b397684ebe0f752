import { expect } from 'vitest';
import type { ProviderName } from '../../../shared/domain/integrated-account.ts';
import { until } from '../../support/until.ts';
import { createStories, group } from '../stories.ts';
import { aName, HASTY, type Rig } from '../write-rig.ts';

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];

const { story, begin } = createStories();
let rig: Rig;

/** Begins every story of this file, on a rig that others use too. */
export function tellFailures(on: Rig): void {
  rig = on;
  begin();
}

for (const provider of PROVIDERS)
  group(`at ${provider}`, () => {
    story('a provider that cannot be reached is tried again, and the attempts end', async () => {
      const credentials = rig.credentialsOf(provider);
      const account = await rig.connect(provider, { ...HASTY, retry: { max_attempts: 2 } });
      // The account's live values are known; then the provider is gone.
      await rig.settled(await rig.submit(account, { name: aName('Before') }));
      const dead = JSON.parse(
        JSON.stringify(credentials).replaceAll(rig.sandbox.origin, 'http://127.0.0.1:9'),
      );
      if (provider === 'salesforce') dead.access_token = 'anything';
      await rig.accounts.replaceCredentials(account.id, dead);
      const job = await rig.settled(await rig.submit(account, { name: aName('After') }));
      expect(job).toMatchObject({
        status: 'failed',
        attemptNumber: 2,
        error: { code: 'attempts_exhausted' },
      });
      expect(job.attempts.map(({ outcome, code }) => [outcome, code])).toEqual([
        ['retryable', 'provider_unreachable'],
        ['retryable', 'provider_unreachable'],
      ]);
    });

    story('the deadline ends a job that may be repeated', async () => {
      const account = await rig.connect(provider, { ...HASTY, retry: { deadline_seconds: 1 } });
      const name = aName('Deadline');
      await rig.faultOnCreate(provider, name, { kind: 'rate_limit', retry_after_s: 30 });
      const job = await rig.settled(await rig.submit(account, { name }));
      expect(job).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' }, attemptNumber: 1 });
    });

    story('an address that is not allowed is called by nobody, and said so', async () => {
      const account = await rig.connect(provider);
      await rig.settled(await rig.submit(account, { name: aName('Before') }));
      const text = JSON.stringify(rig.credentialsOf(provider));
      const foreign = JSON.parse(text.replaceAll(rig.sandbox.origin, 'http://192.0.2.1:80'));
      if (provider === 'salesforce') foreign.access_token = 'anything';
      await rig.accounts.replaceCredentials(account.id, foreign);
      const job = await rig.settled(await rig.submit(account, { name: aName('Abroad') }));
      expect(job).toMatchObject({ status: 'failed', error: { code: 'url_not_allowed' }, attemptNumber: 1 });
    });

    story(
      'a token that was refused is refreshed once, or the account is parked, and the job goes on with a new one',
      async () => {
        const account = await rig.connect(provider);
        await rig.settled(await rig.submit(account, { name: aName('Before') }));
        const good = rig.credentialsOf(provider);
        const bad = { ...good } as Record<string, unknown>;
        for (const secret of ['api_key', 'token', 'refresh_token'])
          if (secret in bad) bad[secret] = 'revoked';
        bad.access_token = 'revoked';
        // Both are of the same provider and type.
        await rig.accounts.replaceCredentials(account.id, bad as typeof good);
        const name = aName('Reauth');
        const id = await rig.submit(account, { name });
        await until(
          'needs_reauth',
          async () => (await rig.accounts.get(account.id))?.status === 'needs_reauth',
          { withinMs: 30_000 },
        );
        await until(
          'account_needs_reauth',
          async () => (await rig.job(id)).waitReason === 'account_needs_reauth',
          { withinMs: 30_000 },
        );
        expect(await rig.job(id)).toMatchObject({ status: 'waiting', attemptsSpent: 0 });
        expect((await rig.accounts.get(account.id))?.lastError).toMatchObject({
          code: 'account_needs_reauth',
        });
        // What is accepted meanwhile waits too.
        const second = await rig.submit(account, { name: `${name} second` });

        await rig.accounts.replaceCredentials(account.id, good);
        await rig.accounts.setStatus(account.id, 'active', { lastError: null });
        await rig.queues.resume(account.id);
        await rig.queues.activate(account.id);
        for (const job of [id, second])
          expect(await rig.settled(job)).toMatchObject({ status: 'succeeded', attemptsSpent: 0 });
        expect(await rig.records(provider, name)).toHaveLength(2);
      },
    );

    story('a paused account keeps what it accepts, and its deadline stands still', async () => {
      const account = await rig.connect(provider, { ...HASTY, retry: { deadline_seconds: 3 } });
      await rig.accounts.setStatus(account.id, 'paused');
      await rig.queues.pause(account.id);
      const name = aName('Paused');
      const ids = [
        await rig.submit(account, { name }),
        await rig.submit(account, { name: `${name} second` }),
      ];
      const pausedAtMs = Date.now();
      await until('the deadline would have passed', () => Date.now() > pausedAtMs + 3_500);
      for (const id of ids) expect(await rig.job(id)).toMatchObject({ status: 'queued', attemptNumber: 0 });
      await rig.accounts.setStatus(account.id, 'active');
      await rig.queues.resume(account.id);
      await rig.queues.activate(account.id);
      for (const id of ids) expect((await rig.settled(id)).status).toBe('succeeded');
    });

    story('a job that was cancelled is not written, whatever the engine still knows of it', async () => {
      const account = await rig.connect(provider);
      const name = aName('Cancelled');
      const id = await rig.submit(account, { name }, {}, { queue: true, bell: true });
      const job = await rig.job(id);
      expect(await rig.jobs.move(job, { to: 'cancelled', attempt: 0, onlyIdle: true })).toMatchObject({
        kind: 'moved',
      });
      await rig.queues.add(account.id, id, 1, 2);
      await rig.queues.activate(account.id);
      // A job behind it shows that the queue has passed it.
      await rig.settled(await rig.submit(account, { name: aName('Behind') }));
      expect(await rig.job(id)).toMatchObject({ status: 'cancelled', attemptNumber: 0 });
      expect(await rig.records(provider, name)).toHaveLength(0);
    });

    story('a job that is written does not fail because its request no longer fits the account', async () => {
      const account = await rig.connect(provider, { ...HASTY, on_unsupported: 'ignore' });
      const name = aName('Changed since');
      const id = await rig.submit(account, {
        name,
        stage: { name: provider === 'salesforce' ? 'Prospecting' : 'Qualified' },
      });
      const job = await rig.settled(id);
      const facts = await rig.accounts.facts(account.id);
      if (!facts) throw new Error('no facts');
      const [record] = await rig.records(provider, name);
      const answer = provider === 'capsule' ? { opportunity: record } : record;
      const remoteId = String(record?.id ?? record?.Id);
      // Nobody has such a stage any more.
      await rig.accounts.putFacts(account.id, { ...facts, fetchedAtMs: Date.now(), stages: [] });
      const moved = await rig.jobs.move(job, {
        to: 'queued',
        from: ['succeeded'],
        newGeneration: true,
        patch: { written: { remoteId, answer, by: 'succeeded' } },
      });
      if (moved.kind !== 'moved') throw new Error(moved.kind);
      await rig.queues.add(account.id, id, moved.generation, 2);
      await rig.queues.activate(account.id);
      const again = await rig.settled(id);
      expect(again.status).toBe('succeeded');
      expect(again.attemptNumber).toBe(1);
    });
  });

story(
  'an expired token of Salesforce is refreshed once for many jobs, and costs none of them anything',
  async () => {
    const account = await rig.connect('salesforce');
    await rig.settled(await rig.submit(account, { name: aName('Before') }));
    const stored = await rig.accounts.credentials(account.id);
    if (!stored) throw new Error('no credentials');
    await rig.accounts.replaceCredentials(account.id, { ...stored.credentials, access_token: 'expired' });
    const name = aName('Expired');
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
    );
    for (const id of ids)
      expect(await rig.settled(id)).toMatchObject({
        status: 'succeeded',
        attemptNumber: 1,
        attemptsSpent: 0,
      });
    const after = await rig.accounts.credentials(account.id);
    // One write by us, one by the refresh.
    expect((after?.version ?? 0) - stored.version).toBe(2);
    expect(await rig.records('salesforce', name)).toHaveLength(10);
  },
);
