import { expect } from 'vitest';
import type { AccountSettings, ProviderName } from '../../../shared/domain/integrated-account.ts';
import { partitionOfAccount } from '../../../shared/redis/partitions.ts';
import { until } from '../../support/until.ts';
import { createStories, group } from '../stories.ts';
import { aName, HASTY, type Rig } from '../write-rig.ts';

type Marker = NonNullable<AccountSettings['marker']>;

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];

/** Markers each provider can carry; undefined: none, the record is known by its content. */
const MARKERS: [ProviderName, string, Marker | undefined][] = [
  ['salesforce', 'no marker', undefined],
  ['salesforce', 'a unique key', { kind: 'external_id', field: 'Dealwright_Id__c' }],
  ['salesforce', 'a text field', { kind: 'custom_field', field: 'Dealwright_Ref__c' }],
  ['close', 'no marker', undefined],
  ['close', 'a custom field', { kind: 'custom_field', field: 'cf_Reference' }],
  ['close', 'a text marker', { kind: 'text', field: 'note' }],
  ['capsule', 'no marker', undefined],
  ['capsule', 'a custom field', { kind: 'custom_field', field: '901' }],
  ['capsule', 'a text marker', { kind: 'text', field: 'description' }],
];

const { story, begin } = createStories();
let rig: Rig;

/** Begins every story of this file, on a rig that others use too. */
export function tellLostCreates(on: Rig): void {
  rig = on;
  begin();
}

for (const [provider, carrier, marker] of MARKERS)
  group(`a create at ${provider} with ${carrier}`, () => {
    const settings: AccountSettings = { ...HASTY, ...(marker ? { marker } : {}) };

    for (const [what, fault] of [
      ['reset after it was written', { kind: 'reset_after_commit' }],
      ['never answered although written', { kind: 'hang_after_commit' }],
      [
        'answered 200 by a proxy although written',
        { kind: 'status', status: 200, body: '<html>ok</html>', after_commit: true },
      ],
      ['answered 503 although written', { kind: 'status', status: 503, after_commit: true }],
    ] as const)
      story(`that was ${what} is found and not sent again`, async () => {
        const account = await rig.connect(provider, settings);
        const name = aName('Lost answer');
        await rig.faultOnCreate(provider, name, fault);
        const job = await rig.settled(await rig.submit(account, { name }));
        expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 1, result: { name } });
        expect(job.attempts).toEqual([expect.objectContaining({ number: 1, outcome: 'reconciled' })]);
        expect(await rig.records(provider, name)).toHaveLength(1);
        expect(await rig.creates(provider, name)).toHaveLength(1);
        // However the call ended, the gate was told; by itself a lease would last 17 s here.
        const leases = rig.keys.leases(partitionOfAccount(account.id, rig.partitions), account.id);
        await until('no lease is left', async () => (await rig.redis.zcard(leases)) === 0, {
          withinMs: 5_000,
        });
      });

    for (const [what, fault] of [
      ['reset before it was written', { kind: 'reset_before_commit' }],
      ['swallowed', { kind: 'hang_before_commit' }],
      ['answered 503 by a proxy', { kind: 'status', status: 503, body: '<html>busy</html>' }],
    ] as const)
      story(`that was ${what} is sent again once its absence is certain`, async () => {
        const account = await rig.connect(provider, settings);
        const name = aName('Lost request');
        await rig.faultOnCreate(provider, name, fault);
        const job = await rig.settled(await rig.submit(account, { name }));
        expect(job).toMatchObject({
          status: 'succeeded',
          attemptNumber: 2,
          attemptsSpent: 1,
          result: { name },
        });
        expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['ambiguous', 'succeeded']);
        expect(await rig.records(provider, name)).toHaveLength(1);
        expect(await rig.creates(provider, name)).toHaveLength(2);
      });

    story('that is written after its connection broke is found when it appears', async () => {
      const account = await rig.connect(provider, settings);
      const name = aName('Late commit');
      await rig.faultOnCreate(provider, name, { kind: 'late_commit', delay_ms: 1_200, reset_after_ms: 50 });
      const job = await rig.settled(await rig.submit(account, { name }));
      expect(job).toMatchObject({ status: 'succeeded', result: { name } });
      // By a unique key a second create may be sent: it cannot make a second record.
      if (marker?.kind !== 'external_id') expect(job.attemptNumber).toBe(1);
      expect(await rig.records(provider, name)).toHaveLength(1);
    });
  });

group('a create at salesforce with a unique key', () => {
  const marker: Marker = { kind: 'external_id', field: 'Dealwright_Id__c' };

  story('whose attempts are spent is not called failed while it may still be written', async () => {
    const account = await rig.connect('salesforce', {
      ...HASTY,
      marker,
      retry: { max_attempts: 1 },
      reconcile: { settle_ms: 6_000, probes: 3 },
    });
    const name = aName('Late, and the last try');
    await rig.faultOnCreate('salesforce', name, { kind: 'late_commit', delay_ms: 5_000, reset_after_ms: 50 });
    const job = await rig.settled(await rig.submit(account, { name }), 30_000);
    expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 1 });
    expect(await rig.records('salesforce', name)).toHaveLength(1);
  });

  story('that is refused for its own key, by a record nobody shows us, is left to a person', async () => {
    const account = await rig.connect('salesforce', { ...HASTY, marker, retry: { max_attempts: 2 } });
    const name = aName('Hidden');
    const message =
      'duplicate value found: Dealwright_Id__c duplicates value on record with id: 006RO000004Kt7P';
    await rig.faultOnCreate('salesforce', name, {
      kind: 'status',
      status: 400,
      body: [{ errorCode: 'DUPLICATE_VALUE', message, fields: [] }],
      times: -1,
    });
    const job = await rig.settled(await rig.submit(account, { name }), 30_000);
    expect(job).toMatchObject({
      status: 'needs_review',
      error: { code: 'outcome_unknown', message: expect.stringContaining('006RO000004Kt7PYAS') },
      candidates: [{ remote_id: '006RO000004Kt7PYAS', why: expect.stringContaining('key of this job') }],
    });
    // Sent again it cannot make a second record.
    expect(await rig.creates('salesforce', name)).toHaveLength(2);
  });
});

for (const provider of PROVIDERS)
  group(`at ${provider}`, () => {
    story('a job in doubt shows that it reconciles, and until when', async () => {
      const account = await rig.connect(provider, {
        ...HASTY,
        reconcile: { settle_ms: 30_000, probes: 1 },
      });
      const name = aName('In doubt');
      await rig.faultOnCreate(provider, name, { kind: 'reset_before_commit' });
      const id = await rig.submit(account, { name });
      await until('reconciling', async () => (await rig.job(id)).waitReason === 'reconciling', {
        withinMs: 10_000,
      });
      const job = await rig.job(id);
      expect(job).toMatchObject({ status: 'waiting', inFlight: undefined });
      expect((job.nextAttemptAtMs ?? 0) - Date.now()).toBeGreaterThan(25_000);
      expect(job.attempts[0]).toMatchObject({ outcome: 'ambiguous', code: 'provider_no_answer' });
      expect(await rig.creates(provider, name)).toHaveLength(1);
    });

    story('an unknown outcome every time ends when the attempts are spent, and not before', async () => {
      const account = await rig.connect(provider, { ...HASTY, retry: { max_attempts: 2 } });
      const name = aName('Never written');
      await rig.faultOnCreate(provider, name, { kind: 'reset_before_commit', times: -1 });
      const job = await rig.settled(await rig.submit(account, { name }));
      expect(job).toMatchObject({
        status: 'failed',
        error: { code: 'attempts_exhausted' },
        attemptNumber: 2,
      });
      expect(await rig.creates(provider, name)).toHaveLength(2);
      expect(await rig.records(provider, name)).toHaveLength(0);
    });

    for (const [what, kind] of [
      ['written', 'reset_after_commit'],
      ['not written', 'reset_before_commit'],
    ] as const)
      story(
        `a create that was ${what} is looked for as its sender's, when another user connects meanwhile`,
        async () => {
          const settings = { ...HASTY, reconcile: { settle_ms: 2_000, probes: 1 } };
          const account = await rig.connect(provider, settings);
          await rig.settled(await rig.submit(account, { name: aName('Warm-up') }));
          const name = aName('Another user');
          await rig.faultOnCreate(provider, name, { kind });
          const id = await rig.submit(account, { name });
          await until('in doubt', async () => (await rig.job(id)).unknownSends.length === 1);
          await rig.accounts.replaceCredentials(account.id, rig.credentialsOf(provider));
          const job = await rig.settled(id, 30_000);
          // Whether it went to this very organisation nobody knows any more: it is not sent to another.
          expect(job.status).toBe(kind === 'reset_after_commit' ? 'succeeded' : 'needs_review');
          expect(await rig.records(provider, name)).toHaveLength(kind === 'reset_after_commit' ? 1 : 0);
          expect(await rig.creates(provider, name)).toHaveLength(1);
        },
      );

    story(
      'a create that waits for its turn while another user connects is his, and is looked for as his',
      async () => {
        const rate_limit = { requests: 1, per_seconds: 1 };
        const account = await rig.connect(provider, { ...HASTY, rate_limit });
        await rig.settled(await rig.submit(account, { name: aName('Warm-up') }));
        const name = aName('Replaced while it waits');
        await rig.faultOnCreate(provider, name, { kind: 'reset_after_commit' });
        const id = await rig.submit(account, { name });
        // It has its lease, and its slot is a second away.
        const leases = rig.keys.leases(partitionOfAccount(account.id, rig.partitions), account.id);
        await until('it waits for its turn', async () => (await rig.redis.zcard(leases)) > 0);
        await rig.accounts.replaceCredentials(account.id, rig.credentialsOf(provider));
        const job = await rig.settled(id, 50_000);
        expect(job.status).toBe('succeeded');
        expect(await rig.records(provider, name)).toHaveLength(1);
      },
    );

    story('a refusal after a lost create is believed only when the look-up found nothing', async () => {
      const account = await rig.connect(provider, HASTY);
      const name = aName('Lost, then refused');
      await rig.faultOnCreate(provider, name, { kind: 'reset_before_commit' });
      await rig.faultOnCreate(provider, name, { kind: 'status', status: 403, times: -1 });
      const job = await rig.settled(await rig.submit(account, { name }));
      expect(job).toMatchObject({ status: 'failed', attemptNumber: 2 });
      expect(job.error?.code).toMatch(/^provider_/);
      const calls = await rig.calls(provider);
      const last = (await rig.creates(provider, name)).at(-1)?.number ?? 0;
      expect(calls.some(({ number, method }) => number > last && method !== 'DELETE')).toBe(true);
    });

    story('of two equal creates neither takes the record of the other', async () => {
      const account = await rig.connect(provider, HASTY);
      const name = aName('Twins');
      // The first is lost before it is written, its twin is written and its answer lost.
      await rig.faultOnCreate(provider, name, { kind: 'reset_before_commit' });
      await rig.faultOnCreate(provider, name, { kind: 'reset_after_commit' });
      const ids = await Promise.all([rig.submit(account, { name }), rig.submit(account, { name })]);
      const jobs = await Promise.all(ids.map((id) => rig.settled(id)));
      const records = await rig.records(provider, name);
      const succeeded = jobs.filter(({ status }) => status === 'succeeded');
      // Never fewer records than jobs that say they have one, never one record for two of them.
      const claimed = new Set(succeeded.map(({ result }) => (result as { id: string }).id));
      expect(claimed.size).toBe(succeeded.length);
      expect(records.length).toBeLessThanOrEqual(2);
      expect(records.length).toBeGreaterThanOrEqual(succeeded.length);
      for (const job of jobs) expect(['succeeded', 'needs_review']).toContain(job.status);
    });
  });

story('a marker given to the account since does not make a lost create look absent', async () => {
  const account = await rig.connect('salesforce', { ...HASTY, reconcile: { settle_ms: 3_000, probes: 1 } });
  await rig.settled(await rig.submit(account, { name: aName('Before') }));
  const name = aName('Marked later');
  // 503 after it was written: then it carries no key.
  await rig.faultOnCreate('salesforce', name, { kind: 'status', status: 503, after_commit: true });
  const id = await rig.submit(account, { name });
  await until('reconciling', async () => (await rig.job(id)).waitReason === 'reconciling', {
    withinMs: 10_000,
  });
  await rig.accounts.update(account.id, {
    settings: { ...account.settings, marker: { kind: 'external_id', field: 'Dealwright_Id__c' } },
  });
  const job = await rig.settled(id);
  expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 1 });
  expect(await rig.records('salesforce', name)).toHaveLength(1);
  expect(await rig.creates('salesforce', name)).toHaveLength(1);
});

for (const provider of PROVIDERS)
  story(`one that was found at ${provider} and not read says of it only what is known`, async () => {
    const account = await rig.connect(provider, { ...HASTY, read_back: false });
    const name = aName('Unread');
    await rig.faultOnCreate(provider, name, { kind: 'reset_after_commit' });
    const job = await rig.settled(await rig.submit(account, { name }));
    expect(job).toMatchObject({ status: 'succeeded', attempts: [{ outcome: 'reconciled' }] });
    const [record] = await rig.records(provider, name);
    expect(job.result).toEqual({ id: String(record?.id ?? record?.Id) });
  });
