import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCapsule } from '../../sandbox/capsule/provider.ts';
import { type RunningSandbox, serveSandbox } from '../../sandbox/core/server.ts';
import type { AccountFacts, StoredCredentials } from '../../shared/domain/integrated-account.ts';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { capsuleClient } from '../../shared/providers/capsule/client.ts';
import { capsule } from '../../shared/providers/capsule/descriptor.ts';
import type { Call, Found, Marker, WritePlan } from '../../shared/providers/port.ts';
import { createCall, readAnswer, type Sent, unwrap } from './provider-call.ts';

const JOB = '019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b';
const custom: Marker = { kind: 'custom_field', field: '901', value: JOB };
const text: Marker = { kind: 'text', field: 'description', value: JOB };

let sandbox: RunningSandbox;
let aheadMs = 0;
let credentials: StoredCredentials;
let call: Call;
let sent: Sent[];
let facts: AccountFacts;
const nowMs = () => Date.now() + aheadMs;

beforeAll(async () => {
  sandbox = await serveSandbox({ port: 0, host: '127.0.0.1', nowMs, providers: [createCapsule] });
  credentials = {
    type: 'personal_access_token',
    token: 'demo-capsule-token',
    base_url: `${sandbox.origin}/capsule`,
  };
  ({ call, sent } = createCall(capsule, capsuleClient, credentials, nowMs));
  facts = unwrap(await capsuleClient.fetchFacts(call, 1, {}));
});
afterAll(() => sandbox.close());
beforeEach(() => control('reset', { provider: 'capsule' }));

async function control(path: string, body: object): Promise<void> {
  const response = await fetch(`${sandbox.origin}/_control/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

function planned(fields: Record<string, unknown>, marker?: Marker): WritePlan {
  const minimum = { account: { id: '4711' }, name: 'Renewal', stage: { name: 'Bid' } };
  const opportunity = OpportunityInput.parse({ ...minimum, ...fields });
  const result = capsule.plan({ opportunity, settings: {}, facts, remoteQuery: {}, marker });
  if (!result.ok) throw new Error(JSON.stringify(result.failures));
  return result.plan;
}

async function create(plan: WritePlan) {
  const answer = await call(plan.create);
  if (answer.kind !== 'answered') throw new Error(answer.kind);
  return capsule.classify(answer, plan.create);
}

async function written(plan: WritePlan) {
  const outcome = await create(plan);
  if (outcome.kind !== 'written') throw new Error(JSON.stringify(outcome));
  return outcome;
}

async function find(plan: WritePlan, marker: Marker | undefined, sentAtProviderMs: number): Promise<Found> {
  const request = { jobId: JOB, marker, plan, sentAtProviderMs, facts, credentials };
  return unwrap(await capsuleClient.find(call, request, {}));
}

const matching = (found: Found) =>
  found.candidates.filter(({ matches }) => matches).map(({ remoteId }) => remoteId);

describe('facts', () => {
  it('hold the milestones of all pipelines, the fields of data tags too, users and currencies', () => {
    expect(facts.stages).toContainEqual({
      id: '23',
      name: 'Proposal',
      pipeline: { id: '32', name: 'Renewals' },
      status: 'open',
      active: true,
    });
    expect(facts.stages.filter(({ status }) => status === 'lost').map(({ id }) => id)).toEqual(['16', '26']);
    expect(facts.customFields.map(({ key }) => key)).toEqual(expect.arrayContaining(['901', '951']));
    expect(facts.customFields.find(({ key }) => key === '905')).toMatchObject({
      multiple: true,
      options: ['Basic', 'Plus', 'Support'],
    });
    expect(facts.currency).toMatchObject({
      mode: 'per_record',
      allowed: expect.arrayContaining(['EUR', 'GBP']),
    });
    expect(facts.user).toEqual({ id: '61', name: 'Ann Seller' });
    expect(facts.owners.map(({ id }) => id)).toEqual(['61', '62', '63']);
  });

  it('check says who we are', async () => {
    expect(unwrap(await capsuleClient.check(call, {}))).toEqual({ user: 'Ann Seller' });
  });
});

describe('a create', () => {
  const fields = {
    amount: 1250.55,
    currency: 'EUR',
    description: 'Text',
    owner: { id: '62' },
    close_date: '2026-04-30',
    contact: [{ id: '4712' }, { id: '4713' }],
    tags: [{ id: '801' }, { name: 'Brand new' }],
    custom_fields: { Seats: 12, Products: ['Basic', 'Plus'], '906': true, Source: 'Web' },
  };
  const expected = {
    name: 'Renewal',
    description: 'Text',
    amount: 1250.55,
    currency: 'EUR',
    owner: { id: '62' },
    account: { id: '4711', name: 'Northwind' },
    stage: { id: '14', name: 'Bid' },
    status: 'open',
    close_date: '2026-04-30',
    custom_fields: { '901': JOB, '902': 12, '904': 'Web', '905': ['Basic', 'Plus'], '906': true },
  };

  it('writes what was asked, adds the contacts, and reads back the same', async () => {
    const plan = planned(fields, custom);
    const outcome = await written(plan);
    const first = capsule.unify(outcome.answer, facts);
    expect(first).toMatchObject(expected);
    expect(first.tags?.map(({ name }) => name).sort()).toEqual(['Brand new', 'Hot']);
    for (const followUp of plan.followUps)
      unwrap(await capsuleClient.followUp(call, outcome.remoteId, followUp, {}));
    const read = capsule.unify(unwrap(await capsuleClient.readBack(call, outcome.remoteId, {})), facts);
    expect(read).toMatchObject({ ...expected, id: outcome.remoteId });
    expect(read.contact).toEqual([{ id: '4712' }, { id: '4713' }]);
  });

  it('may repeat a follow-up, and may add who is the party already', async () => {
    const { remoteId } = await written(planned({}));
    const add = (partyId: number) => ({ key: 'k', describes: '', pointer: '', data: { partyId } });
    for (const partyId of [4712, 4712, 4711])
      expect(await capsuleClient.followUp(call, remoteId, add(partyId), {})).toEqual({
        ok: true,
        value: undefined,
      });
    expect(sent.slice(-3).map(({ status }) => status)).toEqual([204, 422, 422]);
    expect(await capsuleClient.followUp(call, remoteId, add(99), {})).toMatchObject({ ok: false });
  });

  it('makes the first contact the party when there is no account', async () => {
    const { answer } = await written(planned({ account: undefined, contact: [{ id: '4712' }] }));
    expect(capsule.unify(answer, facts)).toMatchObject({
      account: { id: '4712', name: 'Nora North' },
      contact: [{ id: '4712' }],
    });
  });

  it('gets the pointers of what Capsule refuses', async () => {
    const outcome = await create(planned({ account: { id: '99' }, owner: { id: '98' } }));
    expect(outcome).toMatchObject({ kind: 'permanent', code: 'provider_validation' });
    const pointers = outcome.kind === 'permanent' ? outcome.fields?.map(({ pointer }) => pointer) : [];
    expect(pointers).toEqual(expect.arrayContaining(['/account/id']));
  });

  it('reads a 429', async () => {
    await control('limits', { provider: 'capsule', requests: 1, perMs: 60_000 });
    await written(planned({}));
    const outcome = await create(planned({}));
    expect(outcome).toMatchObject({ kind: 'rate_limited', message: 'rate limit reached' });
    const untilMs = outcome.kind === 'rate_limited' ? (outcome.limit.untilMs ?? 0) : 0;
    expect(Math.abs(untilMs - nowMs() - 60_000)).toBeLessThan(3_000);
  });

  it('reads nothing back where there is nothing', async () => {
    expect(unwrap(await capsuleClient.readBack(call, '12345', {}))).toBeUndefined();
  });
});

it('refreshes at the address derived from the base URL', async () => {
  const stored: StoredCredentials = {
    type: 'oauth2_refresh_token',
    client_id: 'demo-capsule-client',
    client_secret: 'demo-capsule-secret',
    refresh_token: 'demo-capsule-refresh',
    base_url: `${sandbox.origin}/capsule/api/v2`,
  };
  const request = await capsuleClient.tokenRequest(stored, nowMs());
  if (!request) throw new Error('no token request');
  const response = await fetch(request.url, { method: 'POST', body: new URLSearchParams(request.form) });
  const reading = capsuleClient.readToken(await readAnswer(response, nowMs()), nowMs());
  if (reading.kind !== 'tokens') throw new Error(reading.message);
  const renewed: StoredCredentials = { ...stored, ...reading.update } as StoredCredentials; // same type, newer tokens
  expect((await capsuleClient.check(createCall(capsule, capsuleClient, renewed).call, {})).ok).toBe(true);
  expect(await capsuleClient.tokenRequest(credentials, 0)).toBeUndefined();
});

describe('finding the record of a lost create', () => {
  it.each<[string, Marker]>([
    ['custom field', custom],
    ['text', text],
  ])('by marker in a %s', async (_, marker) => {
    const plan = planned({}, marker);
    const sentAt = nowMs();
    const { remoteId } = await written(plan);
    const found = await find(plan, marker, sentAt);
    expect(found).toMatchObject({ kind: 'found', by: 'marker' });
    expect(matching(found)).toEqual([remoteId]);
  });

  it('by marker among many records of the party, page by page, lowest id first', async () => {
    const plan = planned({}, custom);
    const first = await written(plan);
    for (let i = 0; i < 110; i++) await written(planned({ name: `Other ${i}` }));
    const second = await written(plan);
    expect(matching(await find(plan, custom, nowMs()))).toEqual([first.remoteId, second.remoteId]);
  });

  it('by marker although the party is another by now', async () => {
    const plan = planned({}, custom);
    await written(planned({ account: { id: '4721' } }, custom));
    expect(await find(plan, custom, nowMs())).toMatchObject({ kind: 'found', by: 'marker' });
  });

  it('looks everywhere before it says none, and trusts that unless a twin has no marker', async () => {
    const plan = planned({}, custom);
    sent.length = 0;
    expect(await find(plan, custom, nowMs())).toEqual({ kind: 'none', trustworthy: true, candidates: [] });
    expect(sent.map(({ path, status }) => [path, status])).toEqual([
      ['/api/v2/parties/4711/opportunities', 200],
      ['/api/v2/opportunities', 200],
      ['/api/v2/opportunities/filters/results', 200],
    ]);
    await written(planned({}));
    expect(await find(plan, custom, nowMs())).toMatchObject({ kind: 'none', trustworthy: false });
  });

  it("does not take another job's record, nor trust a field that is gone", async () => {
    await written(planned({}, { ...custom, value: JOB.replace('0', 'f') }));
    expect(await find(planned({}, custom), custom, nowMs())).toMatchObject({
      kind: 'none',
      trustworthy: true,
    });
    const gone: Marker = { ...custom, field: '999' };
    expect(await find(planned({ name: 'Other' }, gone), gone, nowMs())).toMatchObject({ trustworthy: false });
  });

  it('by content, whatever an automation did to the owner', async () => {
    await control('limits', { provider: 'capsule', automation: true });
    const plan = planned({ amount: 10, currency: 'EUR', close_date: '2026-04-30', description: 'Text' });
    const sentAt = nowMs();
    const { remoteId } = await written(plan);
    await written(planned({ name: 'Another' }));
    const found = await find(plan, undefined, sentAt);
    expect(found).toMatchObject({ kind: 'found', by: 'content', trustworthy: true });
    expect(matching(found)).toEqual([remoteId]);
  });

  it('by content: an absence is not trusted beside a record that nearly agrees or is a little too old', async () => {
    const plan = planned({ amount: 10, currency: 'EUR' });
    await written(planned({ amount: 11, currency: 'EUR' }));
    expect(await find(plan, undefined, nowMs())).toMatchObject({ kind: 'none', trustworthy: false });
    await written(plan);
    aheadMs += 60_000;
    expect(await find(plan, undefined, nowMs())).toMatchObject({ kind: 'none', trustworthy: false });
    aheadMs += 3_600_000;
    expect(await find(plan, undefined, nowMs())).toEqual({ kind: 'none', trustworthy: true, candidates: [] });
  });

  it('hands back the call that failed', async () => {
    await control('faults', { provider: 'capsule', kind: 'status', status: 500, times: 1 });
    const request = {
      jobId: JOB,
      marker: custom,
      plan: planned({}, custom),
      sentAtProviderMs: nowMs(),
      facts,
      credentials,
    };
    expect(await capsuleClient.find(call, request, {})).toMatchObject({ ok: false, result: { status: 500 } });
  });
});

describe('the base URL', () => {
  it.each([
    [undefined, 'https://api.capsulecrm.com'],
    ['https://api.capsulecrm.com/', 'https://api.capsulecrm.com'],
    ['https://api.capsulecrm.com/api/v2', 'https://api.capsulecrm.com'],
    ['http://127.0.0.1:3900/capsule/api/v2/', 'http://127.0.0.1:3900/capsule'],
  ])('%s', (base_url, expected) => {
    const given = { type: 'personal_access_token', token: 't', ...(base_url ? { base_url } : {}) } as const;
    expect(capsule.baseUrl(given, {})).toBe(expected);
  });
});
