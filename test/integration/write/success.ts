import { expect } from 'vitest';
import { makeId } from '../../../sandbox/salesforce/ids.ts';
import type { ProviderName } from '../../../shared/domain/integrated-account.ts';
import { createStories, group } from '../stories.ts';
import { aName, HASTY, type Rig } from '../write-rig.ts';

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];

const { story, begin } = createStories();
let rig: Rig;

/** Begins every story of this file, on a rig that others use too. */
export function tellSuccesses(on: Rig): void {
  rig = on;
  begin();
}

for (const provider of PROVIDERS)
  group(`a create at ${provider}`, () => {
    story('ends as exactly one record, read back as our opportunity', async () => {
      const account = await rig.connect(provider);
      const name = aName('Annual License');
      const job = await rig.settled(await rig.submit(account, { name, description: 'Two sites' }));
      expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 1, error: undefined });
      expect(job).toMatchObject({ inFlight: undefined, waitReason: undefined, nextAttemptAtMs: undefined });
      expect(job.result).toMatchObject({ name, description: 'Two sites', status: 'open' });
      expect(job.result).toHaveProperty('remote_data');
      expect(job.attempts).toEqual([expect.objectContaining({ number: 1, outcome: 'succeeded' })]);
      expect(job.attempts[0]).not.toHaveProperty('request');
      expect(await rig.records(provider, name)).toHaveLength(1);
      expect(await rig.creates(provider, name)).toHaveLength(1);
    });

    story('gives the provider’s own answer when raw was asked for, without another call', async () => {
      const account = await rig.connect(provider);
      const name = aName('Raw');
      const job = await rig.settled(await rig.submit(account, { name }, { response_format: 'raw' }));
      expect(job.status).toBe('succeeded');
      const [record] = await rig.records(provider, name);
      const id = String(record?.id ?? record?.Id);
      expect(JSON.stringify(job.result)).toContain(id);
      expect(job.result).not.toHaveProperty('remote_data');
      const calls = await rig.calls(provider, id);
      expect(calls.filter(({ method }) => method === 'GET')).toEqual([]);
    });

    story('gives every field and no remote data when normalized was asked for', async () => {
      const account = await rig.connect(provider);
      const name = aName('Normalized');
      const job = await rig.settled(await rig.submit(account, { name }, { response_format: 'normalized' }));
      expect(job.result).toMatchObject({ name, description: null });
      expect(job.result).not.toHaveProperty('remote_data');
      for (const field of ['amount', 'currency', 'close_date', 'owner', 'account', 'contact', 'stage'])
        expect(job.result, field).toHaveProperty(field);
    });

    story('leaves out what the caller excluded', async () => {
      const account = await rig.connect(provider);
      const name = aName('Short');
      const query = { exclude_fields: ['description', 'stage'], ignore_remote_data: true };
      const job = await rig.settled(await rig.submit(account, { name }, query));
      expect(job.result).toMatchObject({ name });
      for (const field of ['description', 'stage', 'remote_data'])
        expect(job.result, field).not.toHaveProperty(field);
    });

    story('is written, whatever record the provider calls another one by its id later', async () => {
      const account = await rig.connect(provider, HASTY);
      const [first, second] = [aName('First'), aName('Second')];
      const raw = { response_format: 'raw' } as const;
      const written = await rig.settled(await rig.submit(account, { name: first }, raw));
      const status = provider === 'close' ? 200 : 201;
      await rig.faultOnCreate(provider, second, { kind: 'status', status, body: written.result });
      const other = await rig.settled(await rig.submit(account, { name: second }, raw));
      expect(other).toMatchObject({ status: 'succeeded', result: written.result });
      expect(await rig.job(written.id)).toEqual(written);
      expect(await rig.creates(provider, first)).toHaveLength(1);
    });

    story('for which forty jobs are waiting writes each of them once', async () => {
      const account = await rig.connect(provider, {
        ...HASTY,
        rate_limit: { requests: 1_000, per_seconds: 1 },
      });
      const name = aName('One of forty');
      const ids = await Promise.all(
        Array.from({ length: 40 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
      );
      const jobs = await Promise.all(ids.map((id) => rig.settled(id)));
      expect(jobs.every(({ status, attemptNumber }) => status === 'succeeded' && attemptNumber === 1)).toBe(
        true,
      );
      expect(await rig.records(provider, name)).toHaveLength(40);
      expect(await rig.jobs.counts(account.id)).toEqual({ waiting: 0, running: 0, delayed: 0 });
    });
  });

const CONTACTS = {
  salesforce: [makeId('003', 1), makeId('003', 2), makeId('003', 3)],
  capsule: ['4712', '4713', '4722'],
} as const;
const FOLLOW_UP = { salesforce: '/sobjects/OpportunityContactRole', capsule: '/parties/' } as const;

for (const provider of ['salesforce', 'capsule'] as const)
  group(`the further contacts of a create at ${provider}`, () => {
    const contact = CONTACTS[provider].map((id) => ({ id }));

    story('follow it, each once', async () => {
      const account = await rig.connect(provider);
      const name = aName('Several contacts');
      const job = await rig.settled(await rig.submit(account, { name, contact }));
      expect(job).toMatchObject({ status: 'succeeded', warnings: [] });
      expect(job.result).toMatchObject({ contact: expect.arrayContaining(contact) });
      expect((job.result as { contact: unknown[] }).contact).toHaveLength(3);
    });

    story('may fail for a while without the create being repeated', async () => {
      const account = await rig.connect(provider);
      const name = aName('Contacts later');
      await rig.settled(await rig.submit(account, { name: aName('Warm-up') }));
      await rig.fault(provider, {
        kind: 'status',
        status: 503,
        match: { method: 'POST', path: FOLLOW_UP[provider], authorization: await rig.tokenOf(account) },
      });
      const id = await rig.submit(account, { name, contact });
      const job = await rig.settled(id);
      expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 1, warnings: [] });
      // Given back and taken up again, not lost and found by the sweep.
      expect(job.generation).toBe(1);
      expect((job.result as { contact: unknown[] }).contact).toHaveLength(3);
      expect(await rig.creates(provider, name)).toHaveLength(1);
    });

    story('that the provider refuses are a warning on a job that succeeded', async () => {
      const account = await rig.connect(provider);
      const name = aName('Stranger');
      const stranger = provider === 'salesforce' ? makeId('003', 999) : '999999999';
      const job = await rig.settled(
        await rig.submit(account, { name, contact: [contact[0], { id: stranger }] }),
      );
      expect(job).toMatchObject({ status: 'succeeded' });
      expect(job.warnings).toEqual([
        expect.objectContaining({ code: 'follow_up_failed', pointer: '/contact/1' }),
      ]);
      expect(await rig.records(provider, name)).toHaveLength(1);

      // Repeating the follow-ups keeps the record, and ends again.
      const moved = await rig.jobs.move(job, {
        to: 'queued',
        from: ['succeeded'],
        newGeneration: true,
        patch: { followUps: {} },
      });
      if (moved.kind !== 'moved') throw new Error(moved.kind);
      await rig.queues.add(account.id, job.id, moved.generation, 2);
      await rig.queues.activate(account.id);
      const again = await rig.settled(job.id);
      expect(again).toMatchObject({ status: 'succeeded', attemptNumber: 1 });
      expect(await rig.records(provider, name)).toHaveLength(1);
    });
  });

story('a value that Close drops without a word is a warning', async () => {
  const account = await rig.connect('close');
  const name = aName('Dropped');
  const remote_data = { 'custom.cf_Gone': 'x', 'custom.cf_Seats': 5 };
  const job = await rig.settled(await rig.submit(account, { name, remote_data }));
  expect(job).toMatchObject({ status: 'succeeded', result: { custom_fields: { cf_Seats: 5 } } });
  expect(job.warnings).toEqual([
    expect.objectContaining({ code: 'field_not_kept', pointer: '/custom_fields/cf_Gone' }),
  ]);
});

story('a contact role whose answer is lost is not made again while it may still be written', async () => {
  const settings = { ...HASTY, reconcile: { settle_ms: 4_000, probes: 3 } };
  const account = await rig.connect('salesforce', settings);
  const name = aName('Role, late');
  await rig.settled(await rig.submit(account, { name: aName('Warm-up') }));
  await rig.fault('salesforce', {
    kind: 'late_commit',
    delay_ms: 4_000,
    reset_after_ms: 50,
    match: { method: 'POST', path: FOLLOW_UP.salesforce, authorization: await rig.tokenOf(account) },
  });
  const [first, second] = CONTACTS.salesforce.map((id) => ({ id }));
  const job = await rig.settled(await rig.submit(account, { name, contact: [first, second] }), 30_000);
  expect(job).toMatchObject({ status: 'succeeded', warnings: [] });
  expect(job.result).toMatchObject({ remote_data: { OpportunityContactRoles: { totalSize: 2 } } });
  const { id } = job.result as { id: string };
  const made = (await rig.calls('salesforce')).filter(
    ({ method, path, body }) =>
      method === 'POST' && path.includes(FOLLOW_UP.salesforce) && body?.includes(id),
  );
  // The first contact stands in the create.
  expect(made).toHaveLength(1);
});

story('a record that cannot be read back is succeeded all the same, with a warning', async () => {
  const account = await rig.connect('salesforce');
  const name = aName('Hidden');
  // The read-back of Salesforce is a composite call; it is refused for good.
  await rig.settled(await rig.submit(account, { name: aName('Warm-up') }));
  await rig.fault('salesforce', {
    kind: 'status',
    status: 404,
    match: { path: '/composite', authorization: await rig.tokenOf(account) },
  });
  const job = await rig.settled(await rig.submit(account, { name }));
  expect(job).toMatchObject({ status: 'succeeded', generation: 1 });
  expect(job.warnings).toEqual([expect.objectContaining({ code: 'read_back_failed' })]);
  expect(await rig.creates('salesforce', name)).toHaveLength(1);
});
