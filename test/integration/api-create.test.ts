import { describe, expect, it } from 'vitest';
import { partitionOfAccount } from '../../shared/redis/partitions.ts';
import { anOpenGate } from '../support/open-gate.ts';
import { until } from '../support/until.ts';
import { MINIMUM, startTestApi, type TestApi, unknownId } from './api-support.ts';

const asKey = (key: string) => ({ headers: { 'idempotency-key': key } });

/** Lets a job end as a worker would. */
async function finish(api: TestApi, id: string, to: 'succeeded' | 'failed', patch: Record<string, unknown>) {
  const job = await api.jobs.find(id);
  if (!job) throw new Error(`no job ${id}`);
  const attempt = { number: 1, startedAtMs: 1, outcome: 'succeeded' as const };
  await api.jobs.start(
    job,
    { attempt: 1, token: 1, startedAtMs: 1, sendBeforeMs: 2, sentAtProviderMs: 1, timeoutMs: 1 },
    attempt,
    { gate: anOpenGate(api, job.account), heldMs: 0 },
  );
  const moved = await api.jobs.move(job, { to, patch: { inFlight: null, ...patch } });
  expect(moved.kind).toBe('moved');
}

const openJob = async (api: TestApi, account: string) => {
  const { body } = await api.call(`/jobs?integrated_account_id=${account}`);
  return body.data[0]?.id;
};

const waitingJob = async (api: TestApi, account: string): Promise<string> => {
  for (;;) {
    const id = await openJob(api, account);
    if (id && api.waiter.size() > 0) return id;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('creating an opportunity', () => {
  it('answers 202 with the job once record and queue entry exist', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('salesforce');
    const reply = await api.create(account.id, MINIMUM.salesforce);
    expect(reply.status).toBe(202);
    expect(reply.headers.get('location')).toBe(`/jobs/${reply.body.id}`);
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(reply.headers.get('x-job-id')).toBe(reply.body.id);
    expect(reply.body).toMatchObject({
      status: 'queued',
      marker: reply.body.id,
      sequence: 1,
      request: { body: MINIMUM.salesforce },
    });
    const p = Number.parseInt(reply.body.id.slice(-2), 16);
    expect(await api.redis.exists(`${api.keys.queuePrefix(p)}:${account.id}:${reply.body.id}.1`)).toBe(1);
    expect((await api.call(`/jobs/${reply.body.id}`)).body).toMatchObject({
      id: reply.body.id,
      status: 'queued',
    });
  });

  it('takes the minimum of each provider, and names what is missing', async () => {
    const api = await startTestApi();
    const missing = {
      salesforce: ['name', 'stage', 'close_date'],
      close: ['account', 'owner'],
      capsule: ['name', 'stage'],
    };
    for (const provider of ['salesforce', 'close', 'capsule'] as const) {
      const account = await api.connectAccount(provider);
      expect((await api.create(account.id, MINIMUM[provider])).status, provider).toBe(202);
      const refused = await api.create(account.id, { description: 'x' });
      expect(refused.status).toBe(400);
      expect(refused.body.code).toBe('missing_required_fields');
      const { value } = refused.body.truto_error_insight.missing_required_body_fields;
      expect(value).toEqual(expect.arrayContaining(missing[provider]));
      const pointers = refused.body.details.failures.map((failure: { pointer: string }) => failure.pointer);
      expect(new Set(pointers).size).toBe(pointers.length);
    }
  });

  it("fills what is missing from the account's defaults, and remote_data counts too", async () => {
    const api = await startTestApi();
    const defaults = { stage: { name: 'Prospecting' }, close_date: 'P90D', description: 'default' };
    const account = await api.connectAccount('salesforce', { settings: { defaults } });
    const { status, body } = await api.create(account.id, { name: 'Acme', description: 'mine' });
    expect(status).toBe(202);
    expect(body.applied_defaults.stage).toEqual({ name: 'Prospecting' });
    expect(body.applied_defaults.close_date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(body.applied_defaults.description).toBeUndefined();
    const bare = await api.connectAccount('salesforce');
    const remote_data = { StageName: 'Prospecting', CloseDate: '2026-04-30' };
    expect((await api.create(bare.id, { name: 'Acme', remote_data })).status).toBe(202);
  });

  it('handles what the provider has no place for as on_unsupported says', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('salesforce');
    const body = { ...MINIMUM.salesforce, tags: [{ name: 'hot' }] };
    const warned = await api.create(account.id, body);
    expect(warned.body.warnings).toEqual([expect.objectContaining({ pointer: '/tags' })]);
    expect((await api.create(account.id, body, { query: '&on_unsupported=ignore' })).body.warnings).toEqual(
      [],
    );
    const refused = await api.create(account.id, body, { query: '&on_unsupported=reject' });
    expect(refused).toMatchObject({ status: 400, body: { code: 'unsupported_field' } });
    const strict = await api.connectAccount('salesforce', { settings: { on_unsupported: 'reject' } });
    expect((await api.create(strict.id, body)).status).toBe(400);
  });

  it('keeps another workspace out', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    const elsewhere = { headers: { 'x-workspace': 'other' } };
    expect((await api.create(account.id, MINIMUM.close, elsewhere)).body.code).toBe('not_found');
    expect((await api.create(unknownId(), MINIMUM.close)).status).toBe(404);
    const { body } = await api.create(account.id, MINIMUM.close);
    expect((await api.call(`/jobs/${body.id}`, elsewhere)).status).toBe(404);
    expect((await api.call('/jobs', elsewhere)).body.data).toEqual([]);
    expect((await api.call(`/jobs/${body.id}/cancel`, { method: 'POST', ...elsewhere })).status).toBe(404);
  });

  it('refuses more open jobs than the backlog allows', async () => {
    const api = await startTestApi({ ACCOUNT_BACKLOG_LIMIT: '2' });
    const account = await api.connectAccount('close');
    for (const status of [202, 202, 429])
      expect((await api.create(account.id, MINIMUM.close)).status).toBe(status);
    const reply = await api.create(account.id, MINIMUM.close);
    expect(reply.body.code).toBe('backlog_full');
    // Twenty a second are the default of Close: there is room again at once.
    expect(reply.headers.get('retry-after')).toBe('1');
    await api.call(`/integrated-accounts/${account.id}/pause`, { method: 'POST' });
    const paused = await api.create(account.id, MINIMUM.close);
    expect(paused).toMatchObject({ status: 429 });
    expect(paused.headers.get('retry-after')).toBe('3600');
  });

  it('says on every answer about an account what its provider said of its limit', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    const silent = await api.create(account.id, MINIMUM.close);
    expect(silent.headers.get('ratelimit-limit')).toBeNull();
    await api.redis.hset(api.keys.gate(partitionOfAccount(account.id, api.partitions), account.id), {
      limit: 240,
      rem: 17,
      rem_reset: Date.now() + 60_000,
      stated: 240,
      stated_ms: 15_000,
    });
    const told = await until('the numbers are read', async () => {
      const { headers } = await api.create(account.id, MINIMUM.close);
      return headers.get('ratelimit-limit') === null ? undefined : headers;
    });
    const asked = await api.call(`/integrated-accounts/${account.id}`);
    const refused = await api.create(account.id, { ...MINIMUM.close, amount: 'much' });
    expect(refused.status).toBe(400);
    for (const headers of [told, asked.headers]) {
      expect(headers.get('ratelimit-limit')).toBe('240;w=15');
      expect(headers.get('ratelimit-remaining')).toBe('17');
      expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(55);
    }
  });
});

describe('an idempotency key', () => {
  it('gives the same job to 50 parallel requests', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => api.create(account.id, MINIMUM.close, asKey('k'))),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
    expect(replies.filter(({ headers }) => headers.get('idempotency-replayed') !== 'true')).toHaveLength(1);
    expect((await api.call('/jobs')).body.data).toHaveLength(1);
    expect((await api.call('/jobs?idempotency_key=k')).body.data).toHaveLength(1);
  });

  it('is 422 with another body or query, whatever the order of keys', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    const first = await api.create(account.id, { ...MINIMUM.close, name: 'a' }, asKey('k'));
    const same = await api.create(
      account.id,
      { name: 'a', owner: MINIMUM.close.owner, account: MINIMUM.close.account },
      asKey('k'),
    );
    expect(same.body.id).toBe(first.body.id);
    const other = await api.create(account.id, { ...MINIMUM.close, name: 'b' }, asKey('k'));
    expect(other).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused', job_id: first.body.id },
    });
    const query = await api.create(
      account.id,
      { ...MINIMUM.close, name: 'a' },
      { ...asKey('k'), query: '&truto_response_format=raw' },
    );
    expect(query.status).toBe(422);
  });

  it('is not spent by a request that is refused, and is scoped to its account', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    expect((await api.create(account.id, { nme: 'x' }, asKey('k'))).status).toBe(400);
    const first = await api.create(account.id, MINIMUM.close, asKey('k'));
    expect(first.status).toBe(202);
    const second = await api.connectAccount('close');
    const elsewhere = await api.create(second.id, MINIMUM.close, asKey('k'));
    expect(elsewhere.headers.get('idempotency-replayed')).toBeNull();
    expect(elsewhere.body.id).not.toBe(first.body.id);
  });

  it('must be 1 to 255 printable ASCII characters', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    for (const key of ['', 'é', 'x'.repeat(256)]) {
      const reply = await api.create(account.id, MINIMUM.close, asKey(key));
      expect(reply.body.code, key).toBe('invalid_header');
    }
    expect((await api.create(account.id, MINIMUM.close, asKey('x'.repeat(255)))).status).toBe(202);
  });

  it('still gives its job when the account would refuse the request today', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close', { settings: { defaults: MINIMUM.close } });
    const first = await api.create(account.id, { name: 'a' }, asKey('k'));
    await api.call(`/integrated-accounts/${account.id}`, {
      method: 'PATCH',
      body: { settings: { defaults: null } },
    });
    const again = await api.create(account.id, { name: 'a' }, asKey('k'));
    expect(again.status === 202 ? again.body.id : again.body).toBe(first.body.id);
  });
});

describe('Prefer: wait', () => {
  it('answers 201 with the opportunity itself once it is written', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    const pending = api.create(account.id, MINIMUM.close, {
      headers: { prefer: 'wait=20', 'idempotency-key': 'k' },
    });
    const id = await waitingJob(api, account.id);
    await finish(api, id, 'succeeded', { result: { id: 'oppo_1', name: 'Acme' } });
    const reply = await pending;
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({ id: 'oppo_1', name: 'Acme' });
    expect(reply.headers.get('preference-applied')).toBe('wait=20');
    expect(reply.headers.get('x-job-id')).toBe(id);
    const replay = await api.create(account.id, MINIMUM.close, {
      headers: { prefer: 'wait=20', 'idempotency-key': 'k' },
    });
    expect(replay.status).toBe(201);
    expect(replay.headers.get('idempotency-replayed')).toBe('true');
    const async = await api.create(account.id, MINIMUM.close, {
      headers: { prefer: 'respond-async', 'idempotency-key': 'k' },
    });
    expect(async).toMatchObject({ status: 202, body: { status: 'succeeded', result: { id: 'oppo_1' } } });
    expect(api.waiter.size()).toBe(0);
  });

  it('answers with the error of a job that failed in time', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('close');
    const pending = api.create(account.id, MINIMUM.close, { headers: { prefer: 'wait=20' } });
    const id = await waitingJob(api, account.id);
    const error = {
      statusCode: 422,
      error: 'Unprocessable Entity',
      message: 'no',
      code: 'provider_validation',
      retryable: false,
      truto_is_remote_error: true,
      raw_response: { a: 1 },
    };
    await finish(api, id, 'failed', { error });
    const reply = await pending;
    expect(reply.status).toBe(422);
    expect(reply.body).toMatchObject({ ...error, job_id: id });
  });

  it('answers 202 when the wait is over, at once for a held account, and by default as configured', async () => {
    const api = await startTestApi({ DEFAULT_WAIT_SECONDS: '1' });
    const account = await api.connectAccount('close');
    const startedMs = Date.now();
    const reply = await api.create(account.id, MINIMUM.close);
    expect(reply.status).toBe(202);
    expect(reply.headers.get('preference-applied')).toBeNull();
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(950);
    const paused = await api.call(`/integrated-accounts/${account.id}/pause`, { method: 'POST' });
    expect(paused.status).toBe(200);
    const againMs = Date.now();
    const held = await api.create(account.id, MINIMUM.close, { headers: { prefer: 'wait=30' } });
    expect(held).toMatchObject({ status: 202, body: { status: 'waiting', wait_reason: 'account_paused' } });
    expect(Date.now() - againMs).toBeLessThan(900);
  });
});

describe('a field that is needed beside another', () => {
  it('is named as missing, as one that is always needed is', async () => {
    const api = await startTestApi();
    const { id } = await api.connectAccount('capsule');
    const { status, body } = await api.create(id, { ...MINIMUM.capsule, amount: 5 });
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'missing_required_fields' });
    expect(body.truto_error_insight.missing_required_body_fields.value).toEqual(['currency']);
  });
});

describe('dry_run', () => {
  it('shows what would be sent, with secrets masked, and stores nothing', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('salesforce');
    const p = await findPartition(api, account.id);
    await api.redis.set(api.keys.facts(p, account.id), JSON.stringify(SOME_FACTS));
    const { status, body } = await api.create(
      account.id,
      { ...MINIMUM.salesforce, amount: 12.5 },
      { query: '&dry_run=true' },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      valid: true,
      errors: [],
      request: { method: 'POST', headers: { Authorization: '***' } },
    });
    expect(body.request.url).toMatch(
      /^http:\/\/127\.0\.0\.1:9\/salesforce\/services\/data\/v\d+\.0\/sobjects\/Opportunity$/,
    );
    expect(body.request.body).toMatchObject({ Name: 'Acme', Amount: 12.5, StageName: 'Prospecting' });
    expect(JSON.stringify(body)).not.toContain('canary');
    expect((await api.call('/jobs')).body.data).toEqual([]);
  });

  it('lists what is wrong instead of refusing', async () => {
    const api = await startTestApi();
    const account = await api.connectAccount('salesforce');
    const invalid = await api.create(account.id, { nam: 1 }, { query: '&dry_run=true' });
    expect(invalid).toMatchObject({
      status: 200,
      body: { valid: false, request: null, errors: [{ pointer: '/nam' }] },
    });
    for (const [raw, pointer] of [
      ['{"name":"a","amount":1234567890123456}', '/amount'],
      ['{"name":"a","__proto__":1}', '/__proto__'],
      ['{"name":"a","custom_fields":{"x":12345678901234567890}}', '/custom_fields/x'],
    ] as const) {
      const inexact = await api.call(
        `/unified/crm/opportunities?integrated_account_id=${account.id}&dry_run=true`,
        { method: 'POST', raw, headers: { 'content-type': 'application/json' } },
      );
      expect(inexact).toMatchObject({ status: 200, body: { valid: false, errors: [{ pointer }] } });
    }
    expect((await api.create(account.id, {}, { query: '&dry_run=maybe' })).status).toBe(400);
    expect((await api.create(unknownId(), { nam: 1 }, { query: '&dry_run=true' })).status).toBe(404);
  });
});

const SOME_FACTS = {
  fetchedAtMs: Date.now(),
  stages: [{ id: 'Prospecting', name: 'Prospecting', status: 'open', active: true }],
  owners: [],
  customFields: [],
  currency: { mode: 'none' },
  user: { id: '005', name: 'Test' },
  features: {},
};

async function findPartition(api: TestApi, account: string): Promise<number> {
  for (let p = 0; p < api.partitions; p++) {
    if (await api.redis.exists(api.keys.account(p, account))) return p;
  }
  throw new Error('account not found');
}
