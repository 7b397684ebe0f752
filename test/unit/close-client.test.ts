import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClose } from '../../sandbox/close/provider.ts';
import { type RunningSandbox, serveSandbox } from '../../sandbox/core/server.ts';
import type { AccountFacts, StoredCredentials } from '../../shared/domain/integrated-account.ts';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { closeClient } from '../../shared/providers/close/client.ts';
import { close } from '../../shared/providers/close/descriptor.ts';
import type { Call, Found, Marker, WritePlan } from '../../shared/providers/port.ts';
import { createCall, readAnswer, unwrap } from './provider-call.ts';

const JOB = '019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b';
const custom: Marker = { kind: 'custom_field', field: 'cf_Reference', value: JOB };
const text: Marker = { kind: 'text', field: 'note', value: JOB };

let sandbox: RunningSandbox;
/** The sandbox's clock: it runs on, and can be set forward past the lag of its lists. */
let aheadMs = 0;
let credentials: StoredCredentials;
let call: Call;
let facts: AccountFacts;
const nowMs = () => Date.now() + aheadMs;

beforeAll(async () => {
  sandbox = await serveSandbox({ port: 0, host: '127.0.0.1', nowMs, providers: [createClose] });
  credentials = { type: 'api_key', api_key: 'demo-close-key', base_url: `${sandbox.origin}/close` };
  call = createCall(close, closeClient, credentials, nowMs).call;
  facts = unwrap(await closeClient.fetchFacts(call, 1, {}));
});
afterAll(() => sandbox.close());
beforeEach(() => control('reset', { provider: 'close' }));

async function control(path: string, body: object): Promise<void> {
  const response = await fetch(`${sandbox.origin}/_control/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

function planned(fields: Record<string, unknown>, marker?: Marker): WritePlan {
  const minimum = { account: { id: 'lead_Northwind' }, owner: { id: 'user_Bob' }, name: 'Renewal' };
  const opportunity = OpportunityInput.parse({ ...minimum, ...fields });
  const result = close.plan({ opportunity, settings: {}, facts, remoteQuery: {}, marker });
  if (!result.ok) throw new Error(JSON.stringify(result.failures));
  return result.plan;
}

async function create(plan: WritePlan) {
  const answer = await call(plan.create);
  if (answer.kind !== 'answered') throw new Error(answer.kind);
  return close.classify(answer, plan.create);
}

async function find(plan: WritePlan, marker: Marker | undefined, sentAtProviderMs: number): Promise<Found> {
  const request = { jobId: JOB, marker, plan, sentAtProviderMs, facts, credentials };
  return unwrap(await closeClient.find(call, request, {}));
}

describe('facts', () => {
  it('hold the stages of all pipelines, the fields with the shared ones, users and the currency', () => {
    expect(facts.stages).toContainEqual({
      id: 'stat_RenewalsProposal',
      name: 'Proposal',
      pipeline: { id: 'pipe_Renewals', name: 'Renewals' },
      status: 'open',
      active: true,
    });
    expect(facts.stages.find(({ id }) => id === 'stat_SalesLost')?.status).toBe('lost');
    expect(facts.customFields.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['cf_Reference', 'cf_Region']),
    );
    expect(facts.customFields.find(({ key }) => key === 'cf_Products')).toMatchObject({
      multiple: true,
      options: ['Basic', 'Plus', 'Support'],
    });
    expect(facts).toMatchObject({
      currency: { mode: 'organisation', code: 'EUR' },
      user: { id: 'user_Ann', name: 'Ann Seller' },
    });
    expect(facts.owners).toContainEqual({
      id: 'user_Bob',
      name: 'Bob Closer',
      email: 'bob@demo.example',
      active: true,
    });
    expect(facts.organisation?.id).toBe('orga_Demo');
  });

  it('check says who we are', async () => {
    expect(unwrap(await closeClient.check(call, {}))).toMatchObject({ user: 'Ann Seller' });
  });
});

describe('a create', () => {
  it('writes what was asked and reads back the same', async () => {
    const plan = planned(
      {
        amount: 1250.5,
        description: 'Two\nlines',
        close_date: '2026-04-30',
        created_at: '2025-02-03T04:05:06Z',
        contact: [{ id: 'cont_NorthwindNora' }],
        stage: { name: 'Qualified' },
        custom_fields: { cf_Seats: 12, Products: ['Basic', 'Plus'], 'custom.cf_Region': 'North' },
      },
      custom,
    );
    const outcome = await create(plan);
    if (outcome.kind !== 'written') throw new Error(JSON.stringify(outcome));
    const expected = {
      id: outcome.remoteId,
      name: 'Renewal',
      description: 'Two\nlines',
      amount: 1250.5,
      currency: 'EUR',
      owner: { id: 'user_Bob' },
      account: { id: 'lead_Northwind', name: 'Northwind' },
      contact: [{ id: 'cont_NorthwindNora' }],
      stage: { id: 'stat_SalesQualified', name: 'Qualified' },
      status: 'open',
      close_date: '2026-04-30',
      created_at: '2025-02-03T04:05:06.000Z',
      custom_fields: { cf_Seats: 12, cf_Products: ['Basic', 'Plus'], cf_Region: 'North', cf_Reference: JOB },
    };
    expect(close.unify(outcome.answer, facts)).toMatchObject(expected);
    expect(close.unify(unwrap(await closeClient.readBack(call, outcome.remoteId, {})), facts)).toMatchObject(
      expected,
    );
  });

  it('gets the pointers of what Close refuses', async () => {
    const outcome = await create(planned({ account: { id: 'lead_Gone' }, owner: { id: 'user_Gone' } }));
    expect(outcome).toMatchObject({ kind: 'permanent', code: 'provider_validation' });
    const pointers = outcome.kind === 'permanent' ? outcome.fields?.map(({ pointer }) => pointer) : [];
    expect(pointers).toEqual(expect.arrayContaining(['/account/id', '/owner/id']));
  });

  it.each(['semicolon', 'comma', 'retry_after_only', 'old', 'absent'])(
    'reads a 429 with headers %s',
    async (mode) => {
      await control('limits', { provider: 'close', requests: 1, perMs: 60_000, ratelimit_header: mode });
      const plan = planned({});
      await create(plan);
      const outcome = await create(plan);
      expect(outcome).toMatchObject({ kind: 'rate_limited', code: 'provider_rate_limited' });
      const untilMs = outcome.kind === 'rate_limited' ? outcome.limit.untilMs : 0;
      if (mode !== 'absent') expect(Math.abs((untilMs ?? 0) - nowMs() - 60_000)).toBeLessThan(3_000);
    },
  );

  it('reads nothing back where there is nothing', async () => {
    expect(unwrap(await closeClient.readBack(call, 'oppo_Gone', {}))).toBeUndefined();
  });
});

describe('OAuth', () => {
  it('refreshes with a rotating token at the address derived from the base URL', async () => {
    const stored: StoredCredentials = {
      type: 'oauth2_refresh_token',
      client_id: 'demo-close-client',
      client_secret: 'demo-close-secret',
      refresh_token: 'demo-close-refresh-unit',
      base_url: `${sandbox.origin}/close/api/v1/`,
    };
    const refresh = async (from: StoredCredentials) => {
      const request = await closeClient.tokenRequest(from, nowMs());
      if (!request) throw new Error('no token request');
      const response = await fetch(request.url, { method: 'POST', body: new URLSearchParams(request.form) });
      return closeClient.readToken(await readAnswer(response, nowMs()), nowMs());
    };
    const reading = await refresh(stored);
    if (reading.kind !== 'tokens') throw new Error(reading.message);
    const renewed: StoredCredentials = { ...stored, ...reading.update } as StoredCredentials; // same type, newer tokens
    expect(renewed).not.toMatchObject({ refresh_token: 'demo-close-refresh-unit' });
    expect((renewed.access_token_expires_at_ms ?? 0) - nowMs()).toBeGreaterThan(3_500_000);
    const own = createCall(close, closeClient, renewed).call;
    expect((await closeClient.check(own, {})).ok).toBe(true);
    expect(await refresh(stored)).toMatchObject({ kind: 'dead' });
  });

  it.each([
    [400, { error: 'invalid_grant' }, 'dead'],
    // What Close's endpoint answers in words of its own is not documented.
    [400, { detail: 'no such token' }, 'dead'],
    [401, '', 'dead'],
    [403, { error: 'access_denied' }, 'dead'],
    [403, '<html>blocked</html>', 'retryable'],
    [404, '<html>', 'retryable'],
    [429, { error: 'slow_down' }, 'retryable'],
    [503, '<html>', 'retryable'],
    [200, { token: 'x' }, 'retryable'],
  ])('reads %s %j as %s', (status, body, kind) => {
    const answer = { kind: 'answered', status, headers: {}, body, receivedAtMs: 0 } as const;
    expect(closeClient.readToken(answer, 0)).toMatchObject({ kind, message: expect.any(String) });
  });

  it('has no token to ask for with an API key', async () => {
    expect(await closeClient.tokenRequest(credentials, 0)).toBeUndefined();
    expect(closeClient.authorize(credentials)).toEqual({ authorization: `Basic ${btoa('demo-close-key:')}` });
  });
});

describe('finding the record of a lost create', () => {
  it.each<[string, Marker]>([
    ['custom field', custom],
    ['text', text],
  ])('by marker in a %s, at once, although the list lags', async (_, marker) => {
    const plan = planned({}, marker);
    const sentAt = nowMs();
    const written = await create(plan);
    const found = await find(plan, marker, sentAt);
    expect(found).toMatchObject({ kind: 'found', by: 'marker' });
    expect(found.candidates.filter(({ matches }) => matches).map(({ remoteId }) => remoteId)).toEqual([
      written.kind === 'written' ? written.remoteId : '',
    ]);
  });

  it('by marker in the list, when the event log has lost it', async () => {
    await control('limits', { provider: 'close', list_lag_ms: 0, event_lag_ms: 600_000 });
    const plan = planned({ created_at: '2020-01-01' }, custom);
    const sentAt = nowMs();
    await create(plan);
    expect(await find(plan, custom, sentAt)).toMatchObject({ kind: 'found', by: 'marker' });
  });

  it('trusts an absence by marker, but not beside a twin without one', async () => {
    const plan = planned({}, custom);
    expect(await find(plan, custom, nowMs())).toEqual({ kind: 'none', trustworthy: true, candidates: [] });
    await create(planned({}));
    expect(await find(plan, custom, nowMs())).toMatchObject({ kind: 'none', trustworthy: false });
  });

  it("does not take another job's record", async () => {
    const other = { ...custom, value: JOB.replace('0', 'f') };
    await create(planned({}, other));
    const found = await find(planned({}, custom), custom, nowMs());
    expect(found).toMatchObject({ kind: 'none', trustworthy: true });
    expect(found.candidates.every(({ matches }) => !matches)).toBe(true);
  });

  it('does not trust a marker in a field that is gone', async () => {
    const gone: Marker = { ...custom, field: 'cf_Gone' };
    expect(await find(planned({}, gone), gone, nowMs())).toMatchObject({ trustworthy: false });
  });

  it('by content: all that agree, and none that does not', async () => {
    const plan = planned({ amount: 10, close_date: '2026-04-30' });
    const sentAt = nowMs();
    await create(plan);
    await create(planned({ name: 'Another', amount: 10 }));
    const once = await find(plan, undefined, sentAt);
    expect(once).toMatchObject({ kind: 'found', by: 'content', trustworthy: true });
    expect(once.candidates.filter(({ matches }) => matches)).toHaveLength(1);
    await create(plan);
    expect((await find(plan, undefined, sentAt)).candidates.filter(({ matches }) => matches)).toHaveLength(2);
  });

  it('by content: an absence is not trusted beside a record that nearly agrees or is a little too old', async () => {
    await create(planned({ amount: 11 }));
    expect(await find(planned({ amount: 10 }), undefined, nowMs())).toMatchObject({
      kind: 'none',
      trustworthy: false,
    });
    await create(planned({ amount: 10 }));
    aheadMs += 60_000;
    expect(await find(planned({ amount: 10 }), undefined, nowMs())).toMatchObject({
      kind: 'none',
      trustworthy: false,
    });
    aheadMs += 3_600_000;
    expect(await find(planned({ amount: 10 }), undefined, nowMs())).toEqual({
      kind: 'none',
      trustworthy: true,
      candidates: [],
    });
  });

  it('hands back the call that failed', async () => {
    await control('faults', { provider: 'close', kind: 'status', status: 500, times: 1 });
    const request = {
      jobId: JOB,
      marker: custom,
      plan: planned({}, custom),
      sentAtProviderMs: nowMs(),
      facts,
      credentials,
    };
    expect(await closeClient.find(call, request, {})).toMatchObject({ ok: false, result: { status: 500 } });
  });
});

describe('the base URL', () => {
  it.each([
    [undefined, 'https://api.close.com'],
    ['https://api.close.com', 'https://api.close.com'],
    ['https://api.close.com/api/v1/', 'https://api.close.com'],
    ['http://127.0.0.1:3900/close', 'http://127.0.0.1:3900/close'],
    ['http://127.0.0.1:3900/close/api/v1', 'http://127.0.0.1:3900/close'],
  ])('%s', (base_url, expected) => {
    expect(close.baseUrl({ type: 'api_key', api_key: 'k', ...(base_url ? { base_url } : {}) }, {})).toBe(
      expected,
    );
  });
});
