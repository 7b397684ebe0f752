import { describe, expect, it } from 'vitest';
import { makeId } from '../../sandbox/salesforce/ids.ts';
import type { AccountSettings } from '../../shared/domain/integrated-account.ts';
import { Opportunity, type OpportunityInput } from '../../shared/domain/opportunity.ts';
import type { FindRequest, Marker, WritePlan } from '../../shared/providers/port.ts';
import { salesforceClient as client } from '../../shared/providers/salesforce/client.ts';
import { salesforce } from '../../shared/providers/salesforce/descriptor.ts';
import { readOf, useOrg } from './salesforce-org.ts';
import { anOpportunity, JOB_ID, plannedOf } from './salesforce-support.ts';

const org = useOrg();
const ACCOUNT = makeId('001', 1);
const CONTACTS = [makeId('003', 1), makeId('003', 2), makeId('003', 3)];
const KEY: Marker = { kind: 'external_id', field: 'Dealwright_Id__c', value: JOB_ID };
const TEXT: Marker = { kind: 'custom_field', field: 'Dealwright_Ref__c', value: JOB_ID };
const SETTINGS: AccountSettings = {};

const facts = async () => readOf(await client.fetchFacts(org.call, 1, SETTINGS));

async function plan(opportunity: Partial<OpportunityInput> = {}, marker?: Marker) {
  return plannedOf(opportunity, { facts: await facts(), marker }).plan;
}

async function write(written: WritePlan) {
  const result = await org.call(written.create);
  if (result.kind !== 'answered') throw new Error(`no answer: ${result.kind}`);
  return salesforce.classify(result, written.create);
}

async function writtenId(written: WritePlan): Promise<string> {
  const outcome = await write(written);
  if (outcome.kind !== 'written') throw new Error(`not written: ${JSON.stringify(outcome)}`);
  return outcome.remoteId;
}

async function find(written: WritePlan, marker?: Marker, over: Partial<FindRequest> = {}) {
  const request: FindRequest = {
    jobId: JOB_ID,
    marker,
    plan: written,
    sentAtProviderMs: Date.now(),
    facts: await facts(),
    credentials: org.credentials(),
    ...over,
  };
  return client.find(org.call, request, SETTINGS);
}

describe('live values', () => {
  it('are stages, users, fields, currency and who we are, in few calls', async () => {
    const read = await facts();
    expect(read.stages.find(({ id }) => id === 'Closed Won')).toMatchObject({ status: 'won', active: true });
    expect(read.stages.find(({ id }) => id === 'Closed Lost')).toMatchObject({ status: 'lost' });
    expect(read.owners.map(({ name }) => name)).toContain('Sam Seller');
    expect(read.owners.map(({ name }) => name)).not.toContain('Ivy Inactive');
    expect(read.customFields.find(({ key }) => key === 'Dealwright_Id__c')).toMatchObject({
      externalId: true,
      unique: true,
      creatable: true,
      type: 'string',
    });
    expect(read.currency.mode).toBe('organisation');
    expect(read.user).toEqual({ id: makeId('005', 1), name: 'Integration User' });
    expect(read.features).toMatchObject({
      restrictedStage: false,
      multiCurrency: false,
      contactIdOnCreate: true,
    });
    expect(org.sent.length).toBeLessThanOrEqual(4);
  });

  it('follow the switches of the organisation', async () => {
    await org.configure({ multi_currency: true, restricted_stage: true });
    const read = await facts();
    expect(read.currency).toMatchObject({ mode: 'per_record', allowed: expect.arrayContaining(['USD']) });
    expect(read.features).toMatchObject({ restrictedStage: true, multiCurrency: true });
  });

  it('do without what the user may not see', async () => {
    await org.configure({ hidden_fields: ['ContactId', 'User.Email', 'OpportunityStage.IsWon'] });
    const read = await facts();
    expect(read.features.contactIdOnCreate).toBe(false);
    expect(read.stages.find(({ id }) => id === 'Prospecting')).toMatchObject({ active: true });
  });

  it('say who we are when asked to check', async () => {
    expect(readOf(await client.check(org.call, SETTINGS))).toMatchObject({
      user: 'Integration User',
      organisation: expect.any(String),
    });
  });
});

describe('a create', () => {
  it.each([
    ['without a marker', undefined],
    ['by external id', KEY],
    ['with a marker field', TEXT],
  ])('%s reads back as it was asked for', async (_, marker) => {
    const given = anOpportunity({
      name: "O'Brien \\ “Söhne” & 100%",
      description: 'line 1\nline 2',
      amount: 1234.56,
      account: { id: ACCOUNT },
      owner: { id: makeId('005', 2) },
      contact: CONTACTS.map((id) => ({ id })),
      stage: { name: 'closed won' },
      custom_fields: { Region__c: 'North', Score__c: 7.5 },
    });
    const planned = await plan(given, marker);
    const id = await writtenId(planned);
    for (const step of planned.followUps) readOf(await client.followUp(org.call, id, step, SETTINGS));
    for (const step of planned.followUps) readOf(await client.followUp(org.call, id, step, SETTINGS));

    org.sent.length = 0;
    const record = readOf(await client.readBack(org.call, id, SETTINGS));
    expect(org.sent).toHaveLength(1);
    const unified = Opportunity.parse(salesforce.unify(record, await facts()));
    expect(unified).toMatchObject({
      id,
      name: given.name,
      description: given.description,
      amount: 1234.56,
      account: { id: ACCOUNT, name: 'Acme Corporation' },
      owner: given.owner,
      stage: { id: 'Closed Won', name: 'Closed Won' },
      status: 'won',
      close_date: '2026-04-30',
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      custom_fields: { Region__c: 'North', Score__c: 7.5 },
    });
    expect(unified.contact?.[0]).toEqual({ id: CONTACTS[0] });
    expect(unified.contact?.map((contact) => contact.id).sort()).toEqual([...CONTACTS].sort());
  });

  it('sent twice by external id stays one record', async () => {
    const planned = await plan({}, KEY);
    const first = await writtenId(planned);
    expect(await writtenId(planned)).toBe(first);
  });

  it('sent twice at once by external id is never taken for a conflict', async () => {
    const planned = await plan({}, KEY);
    await org.configure({ latency_ms: 30 });
    const outcomes = await Promise.all([write(planned), write(planned), write(planned)]);
    expect(outcomes.map(({ kind }) => kind)).toContain('written');
    for (const outcome of outcomes) expect(['written', 'ambiguous', 'rate_limited']).toContain(outcome.kind);
    expect(readOf(await find(planned, KEY)).candidates).toHaveLength(1);
  });

  it('reads back without what the user may not see', async () => {
    const id = await writtenId(await plan({ account: { id: ACCOUNT }, amount: 5 }));
    await org.configure({ hidden_fields: ['Amount', 'Account.Name'] });
    const unified = salesforce.unify(readOf(await client.readBack(org.call, id, SETTINGS)), undefined);
    expect(unified).toMatchObject({ id, account: { id: ACCOUNT } });
    expect(unified).not.toHaveProperty('amount');
  });

  it('that does not exist reads back as undefined', async () => {
    expect(readOf(await client.readBack(org.call, makeId('006', 4711), SETTINGS))).toBeUndefined();
  });

  it.each([
    ['an inactive owner', { owner: { id: makeId('005', 4) } }, '/owner/id'],
    ['an unknown account', { account: { id: makeId('001', 4711) } }, '/account/id'],
    ['a restricted picklist', { custom_fields: { Tier__c: 'Lead' } }, '/custom_fields/Tier__c'],
    ['a read-only field', { remote_data: { IsWon: true } }, '/remote_data/IsWon'],
    ['a field that does not exist', { remote_data: { Nope__c: 1 } }, '/custom_fields/Nope__c'],
    ['a date that is none', { remote_data: { CloseDate: '2026-13-01' } }, '/close_date'],
  ])('with %s is refused at our field', async (_, given, pointer) => {
    const outcome = await write(await plan(given));
    expect(outcome).toMatchObject({ kind: 'permanent', fields: [{ pointer }] });
  });

  it('over the limit, or under a lock, waits', async () => {
    const planned = await plan();
    await org.configure({ lock_next: 2 });
    expect(await write(planned)).toMatchObject({ kind: 'rate_limited', code: 'provider_row_locked' });
    expect(await write(planned)).toMatchObject({ kind: 'rate_limited', limit: { scope: 'parent' } });
    await org.configure({ daily_limit: 1 });
    expect(await write(planned)).toMatchObject({ kind: 'rate_limited', limit: { scope: 'daily' } });
  });

  it('reports how much of the day is used', async () => {
    const result = await org.call((await plan()).create);
    expect(result.kind === 'answered' && salesforce.readLimits(result.headers, 0)).toMatchObject({
      daily: { max: expect.any(Number) },
    });
  });
});

describe('finding a lost create', () => {
  it.each([
    ['external id', KEY, 'native_key'],
    ['marker field', TEXT, 'marker'],
    ['content', undefined, 'content'],
  ])('by %s', async (_, marker, by) => {
    const given = { name: "Line\\1 'a' 100%", account: { id: ACCOUNT }, amount: 10.005 };
    const planned = await plan(given, marker);
    expect(readOf(await find(planned, marker))).toEqual({ kind: 'none', trustworthy: true, candidates: [] });

    await org.fault({ kind: 'reset_after_commit', match: { path: '/sobjects/Opportunity' } });
    expect((await org.call(planned.create)).kind).toBe('unanswered');
    const found = readOf(await find(planned, marker));
    expect(found).toMatchObject({ kind: 'found', by, candidates: [{ matches: true }] });
    const [candidate] = found.candidates;
    expect(candidate?.url).toContain(candidate?.remoteId);
  });

  it.each([
    ['external id', KEY],
    ['marker field', TEXT],
    ['content', undefined],
  ])('by %s although somebody deleted it', async (_, marker) => {
    const planned = await plan({ account: { id: ACCOUNT } }, marker);
    const id = await writtenId(planned);
    await org.call({
      method: 'DELETE',
      path: `/services/data/v62.0/sobjects/Opportunity/${id}`,
      purpose: 'check',
    });
    expect(readOf(await find(planned, marker))).toMatchObject({
      kind: 'found',
      candidates: [{ remoteId: id, matches: true, why: expect.stringContaining('Recycle Bin') }],
    });
  });

  it.each([
    ['blanks at its ends', '  Annual License '],
    ['a no-break space at its end', 'Annual License\u00a0'],
    ['an ideographic space', '\u3000株式会社\u3000'],
    ['a line break', 'Annual\nLicense'],
    ['two blanks', 'Annual  License'],
  ])('by content, whose name has %s', async (_, name) => {
    const planned = await plan({ name });
    const id = await writtenId(planned);
    expect(readOf(await find(planned))).toMatchObject({ candidates: [{ remoteId: id, matches: true }] });
  });

  it('by content, although the line break of its name was kept as a blank', async () => {
    const id = await writtenId(await plan({ name: 'Annual License' }));
    const planned = await plan({ name: 'Annual\nLicense' });
    expect(readOf(await find(planned))).toMatchObject({ candidates: [{ remoteId: id, matches: true }] });
  });

  it('reports all records of a marker', async () => {
    const planned = await plan({}, TEXT);
    const ids = [await writtenId(planned), await writtenId(planned)];
    const found = readOf(await find(planned, TEXT));
    expect(found.candidates.map(({ remoteId }) => remoteId).sort()).toEqual(ids.sort());
  });

  it('by content looks neither at older records nor at others', async () => {
    const planned = await plan({ account: { id: ACCOUNT }, amount: 5 });
    await writtenId(planned);
    const later = { sentAtProviderMs: Date.now() + 600_000 };
    expect(readOf(await find(planned, undefined, later))).toMatchObject({ kind: 'none', candidates: [] });
    const someoneElse = { facts: { ...(await facts()), user: { id: makeId('005', 2), name: 'Sam' } } };
    expect(readOf(await find(planned, undefined, someoneElse))).toMatchObject({
      kind: 'none',
      candidates: [],
    });
  });

  it('by content does not believe in absence when a like record may be ours, changed by a flow', async () => {
    await writtenId(await plan({ account: { id: ACCOUNT }, amount: 6 }));
    expect(readOf(await find(await plan({ account: { id: ACCOUNT }, amount: 5 })))).toMatchObject({
      kind: 'none',
      trustworthy: false,
      candidates: [{ matches: false, why: expect.stringContaining('other Amount') }],
    });
  });

  it('by content adopts nothing while our own user is unknown', async () => {
    const planned = await plan();
    await writtenId(planned);
    const nobody = { facts: { ...(await facts()), user: { id: '', name: '' } } };
    expect(readOf(await find(planned, undefined, nobody))).toMatchObject({
      kind: 'none',
      trustworthy: false,
      candidates: [{ matches: false }],
    });
  });

  it('finds a backdated create', async () => {
    await org.configure({ audit_fields: true });
    const settings = { salesforce: { audit_fields: true } };
    const { plan: planned } = plannedOf({ created_at: '2020-01-01' }, { facts: await facts(), settings });
    await writtenId(planned);
    expect(readOf(await find(planned))).toMatchObject({ kind: 'found', by: 'content' });
  });

  it('says that it cannot look where the key field is hidden', async () => {
    const planned = await plan({}, KEY);
    await org.configure({ hidden_fields: ['Dealwright_Id__c'] });
    expect(await find(planned, KEY)).toMatchObject({ ok: false, result: { status: 404 } });
  });

  it('says that it cannot look when the look-up fails', async () => {
    const planned = await plan();
    await org.fault({ kind: 'status', status: 503, body: 'busy', match: { path: 'queryAll' } });
    expect(await find(planned)).toMatchObject({ ok: false, result: { status: 503 } });
  });
});
