import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../shared/domain/job.ts';
import type { JobPatch } from '../../shared/stores/job-store.ts';
import { anOpenGate } from '../support/open-gate.ts';
import { ADMIN, MINIMUM, startTestApi, type TestApi } from './api-support.ts';

const ERROR = {
  statusCode: 422,
  error: 'Unprocessable Entity',
  message: 'no',
  code: 'provider_validation',
  retryable: false,
};

async function recordOf(api: TestApi, id: string): Promise<JobRecord> {
  const job = await api.jobs.find(id);
  if (!job) throw new Error(`no job ${id}`);
  return job;
}

/** Begins attempt `n`, as a worker does before the first byte. */
async function begin(api: TestApi, id: string, n = 1): Promise<JobRecord> {
  const job = await recordOf(api, id);
  const inFlight = {
    attempt: n,
    token: n,
    startedAtMs: 1,
    sendBeforeMs: 2,
    sentAtProviderMs: 1,
    timeoutMs: 1,
  };
  const started = await api.jobs.start(
    job,
    inFlight,
    { number: n, startedAtMs: 1_000 },
    { gate: anOpenGate(api, job.account), heldMs: 0 },
  );
  expect(started.kind).toBe('go');
  return recordOf(api, id);
}

async function end(
  api: TestApi,
  id: string,
  to: 'succeeded' | 'failed' | 'needs_review' | 'waiting',
  patch: JobPatch = {},
) {
  const moved = await api.jobs.move(await recordOf(api, id), { to, patch: { inFlight: null, ...patch } });
  expect(moved.kind).toBe('moved');
}

async function aJob(api: TestApi, account?: string, headers = {}) {
  const id = account ?? (await api.connectAccount('close')).id;
  const { body, headers: answered } = await api.create(id, MINIMUM.close, { headers });
  return { id: body.id as string, account: id as string, requestId: answered.get('x-request-id') };
}

const post = (api: TestApi, path: string, body?: unknown) => api.call(path, { method: 'POST', body });

describe('reading jobs', () => {
  it('wakes a long-poll when the job settles, and gives the present state when the time is up', async () => {
    const api = await startTestApi();
    const { id, requestId } = await aJob(api);
    const pending = api.call(`/jobs/${id}?wait=20`);
    await begin(api, id);
    await end(api, id, 'failed', { error: ERROR });
    const { body } = await pending;
    expect(body).toMatchObject({ status: 'failed', error: { ...ERROR, job_id: id }, sequence: 3 });
    expect(body.error.request_id).toBe(requestId);
    expect(body.attempts).toHaveLength(1);
    expect(body.finished_at).not.toBeNull();
    const other = await aJob(api);
    expect((await api.call(`/jobs/${other.id}?wait=1`)).body.status).toBe('queued');
    expect((await api.call(`/jobs/${other.id}?wait=61`)).status).toBe(400);
  });

  it('lets go of a caller who left', async () => {
    const api = await startTestApi();
    const { id } = await aJob(api);
    const leave = new AbortController();
    const gone = fetch(`${api.url}/jobs/${id}?wait=30`, {
      headers: { authorization: 'Bearer test-admin-token-0123456789' },
      signal: leave.signal,
    }).catch(() => 'left');
    await expect.poll(() => api.waiter.size()).toBe(1);
    leave.abort();
    expect(await gone).toBe('left');
    await expect.poll(() => api.waiter.size()).toBe(0);
  });

  it('lists by page, status, account, key and time', async () => {
    const api = await startTestApi();
    const first = await aJob(api, undefined, { 'idempotency-key': 'one' });
    const second = await aJob(api);
    const third = await aJob(api, second.account);
    const ids = async (query: string) =>
      (await api.call(`/jobs?${query}`)).body.data.map((job: { id: string }) => job.id);
    expect(await ids('')).toEqual([third.id, second.id, first.id]);
    expect(await ids(`integrated_account_id=${first.account}`)).toEqual([first.id]);
    expect(await ids('idempotency_key=one')).toEqual([first.id]);
    expect(await ids('status=failed,cancelled')).toEqual([]);
    expect(await ids('status[]=queued&status[]=failed')).toHaveLength(3);
    await post(api, `/integrated-accounts/${first.account}/pause`);
    // Found as it is shown: it waits for its account.
    expect(await ids('status=waiting')).toEqual([first.id]);
    expect(await ids('status=waiting&idempotency_key=one')).toEqual([first.id]);
    expect(await ids('status=queued')).toEqual([third.id, second.id]);
    await post(api, `/integrated-accounts/${first.account}/resume`);
    expect(await ids('created_after=2999-01-01T00:00:00Z')).toEqual([]);
    const page = await api.call('/jobs?limit=2');
    expect(page.body.data).toHaveLength(2);
    expect(await ids(`limit=2&cursor=${page.body.next_cursor}`)).toEqual([first.id]);
    for (const bad of [
      'limit=0',
      'limit=201',
      'status=done',
      'status=',
      'status=,',
      'cursor=x',
      'created_after=yesterday',
    ]) {
      expect((await api.call(`/jobs?${bad}`)).body.code, bad).toBe('invalid_query');
    }
  });

  it('shows what holds a job that has not begun', async () => {
    const api = await startTestApi();
    const { id, account } = await aJob(api);
    await post(api, `/integrated-accounts/${account}/pause`);
    expect((await api.call(`/jobs/${id}`)).body).toMatchObject({
      status: 'waiting',
      wait_reason: 'account_paused',
    });
  });
});

describe('cancelling', () => {
  it('works before the first attempt, twice alike, and never after it', async () => {
    const api = await startTestApi();
    const early = await aJob(api);
    const cancelled = await post(api, `/jobs/${early.id}/cancel`);
    expect(cancelled).toMatchObject({
      status: 200,
      body: { status: 'cancelled', error: { code: 'cancelled' } },
    });
    expect((await post(api, `/jobs/${early.id}/cancel`)).status).toBe(200);
    const late = await aJob(api);
    await begin(api, late.id);
    expect((await post(api, `/jobs/${late.id}/cancel`)).body.code).toBe('job_already_started');
    await end(api, late.id, 'waiting', { waitReason: 'reconciling' });
    expect((await post(api, `/jobs/${late.id}/cancel`)).body.code).toBe('job_already_started');
    await end(api, late.id, 'failed', { error: ERROR });
    expect((await post(api, `/jobs/${late.id}/cancel`)).status).toBe(409);
  });
});

describe('retrying', () => {
  it('queues a failed job again with its history, corrected if asked', async () => {
    const api = await startTestApi();
    const { id, account } = await aJob(api);
    expect((await post(api, `/jobs/${id}/retry`)).body.code).toBe('job_not_retryable');
    await begin(api, id);
    await end(api, id, 'failed', { error: ERROR, attemptsSpent: 1 });
    expect(
      (await post(api, `/jobs/${id}/retry`, { body: { nme: 1 } })).body.details.failures[0].pointer,
    ).toBe('/body/nme');
    expect((await post(api, `/jobs/${id}/retry`, { body: { name: 'x' } })).body.code).toBe(
      'missing_required_fields',
    );
    const corrected = { ...MINIMUM.close, name: 'better' };
    const reply = await post(api, `/jobs/${id}/retry`, {
      body: corrected,
      query: { truto_ignore_remote_data: true },
    });
    expect(reply.status).toBe(202);
    expect(reply.body).toMatchObject({
      status: 'queued',
      marker: id,
      error: null,
      request: {
        body: corrected,
        query: { truto_response_format: 'unified', truto_ignore_remote_data: true },
      },
    });
    expect(reply.body.attempts).toHaveLength(1);
    const job = await recordOf(api, id);
    expect(job).toMatchObject({ generation: 2, attemptsSpent: 0, corrections: 1 });
    const p = Number.parseInt(id.slice(-2), 16);
    expect(await api.redis.exists(`${api.keys.queuePrefix(p)}:${account}:${id}.2`)).toBe(1);
  });

  it('by filter takes what matches and never what needs review', async () => {
    const api = await startTestApi();
    const { account } = await api.connectAccount('close').then((a) => ({ account: a.id as string }));
    const [failed, other, review] = await Promise.all([1, 2, 3].map(() => aJob(api, account)));
    for (const job of [failed, other, review]) await begin(api, job?.id ?? '');
    await end(api, failed?.id ?? '', 'failed', { error: ERROR });
    await end(api, other?.id ?? '', 'failed', { error: { ...ERROR, code: 'attempts_exhausted' } });
    await end(api, review?.id ?? '', 'needs_review');
    const reply = await post(api, '/jobs/retry', {
      code: ['provider_validation'],
      integrated_account_id: account,
    });
    expect(reply.body).toEqual({
      object: 'bulk_retry',
      retried: 1,
      skipped: 1,
      job_ids: [failed?.id],
      next_cursor: null,
    });
    expect((await post(api, '/jobs/retry', { status: ['needs_review'] })).status).toBe(400);
    // The same filter, where others would put it: never taken for none.
    const elsewhere = await api.connectAccount('close');
    const query = `status=failed&integrated_account_id=${elsewhere.id}`;
    expect((await post(api, `/jobs/retry?${query}`)).body).toMatchObject({ retried: 0, job_ids: [] });
    expect((await post(api, `/jobs/retry?code=attempts_exhausted`)).body.job_ids).toEqual([other?.id]);
    for (const path of ['/jobs/retry?stats=failed', `/jobs/${failed?.id}/cancel?status=queued`])
      expect((await post(api, path)).body, path).toMatchObject({ statusCode: 400, code: 'invalid_query' });
    expect((await post(api, `/jobs/${review?.id}/retry`)).body.code).toBe('job_needs_resolve');
  });
});

describe('resolving', () => {
  it('queues again with the same marker when a person says that nothing was created', async () => {
    const api = await startTestApi();
    const { id } = await aJob(api);
    expect((await post(api, `/jobs/${id}/resolve`, { not_created: true })).body.code).toBe(
      'job_not_in_review',
    );
    await begin(api, id);
    await end(api, id, 'needs_review', {
      unknownSends: [{ attempt: 1, sentAtProviderMs: 1, verdictAtMs: 2 }],
    });
    expect((await post(api, `/jobs/${id}/resolve`, {})).body.code).toBe('invalid_body');
    const reply = await post(api, `/jobs/${id}/resolve`, { not_created: true });
    expect(reply).toMatchObject({ status: 200, body: { status: 'queued', marker: id } });
    expect((await recordOf(api, id)).unknownSends).toEqual([]);
  });
});

describe('health and documents', () => {
  it('say how durable Redis is and whether a worker was seen', async () => {
    const api = await startTestApi();
    expect((await api.call('/healthz', { token: null })).body).toEqual({ status: 'ok' });
    const { status, body } = await api.call('/readyz', { token: null });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ready',
      durability: { demanded: 'strict', found: 'strict' },
      worker: { seen: false },
    });
    await api.redis.zadd(api.keys.workers, Date.now(), 'w');
    expect((await api.call('/readyz')).body.worker.seen).toBe(true);
    const metrics = await api.call('/metrics', { token: null });
    expect(metrics.body).toContain('dealwright_http_request_seconds_bucket');
  });

  it('are not ready with fewer replicas than must have a write', async () => {
    const api = await startTestApi({ DURABILITY_REPLICAS: '1' });
    const { status, body } = await api.call('/readyz', { token: null });
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'not_ready',
      redis: 'not_durable',
      durability: { replicas: 1, message: '0 replicas are connected, 1 must have a write' },
    });
  });

  it('serves OpenAPI 3.1 and its page without any address outside', async () => {
    const api = await startTestApi();
    const { body } = await api.call('/openapi.json', { token: null });
    expect(body.openapi).toBe('3.1.0');
    const posted = await fetch(`${api.url}/docs`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const page = await fetch(`${api.url}/docs`);
    const html = await page.text();
    expect(html).not.toMatch(/https?:\/\//);
    for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await fetch(`${api.url}${path}`)).status, path).toBe(200);
    }
  });

  it('shows the queues to the admin only, without a way to change them', async () => {
    const api = await startTestApi();
    const { account, id } = await aJob(api);
    const board = (path: string, authorization?: string, method = 'GET') =>
      fetch(`${api.url}/admin/queues${path}`, { method, headers: authorization ? { authorization } : {} });
    const anonymous = await board('');
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Basic/),
    ]);
    const basic = (password: string) => `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    expect((await board('', basic('wrong-password-0123'))).status).toBe(401);
    const page = await board('/', basic(ADMIN));
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    for (const [, path] of (await page.text()).matchAll(/(?:src|href)="(static[^"]+)"/g)) {
      expect((await board(`/${path}`, basic(ADMIN))).status, path).toBe(200);
    }
    const listed = await board(`/api/queues?activeQueue=&page=1&jobsPerPage=10`, `Bearer ${ADMIN}`);
    // Bull Board's own shape; only the two fields below matter here.
    const { queues } = (await listed.json()) as { queues: { name: string; readOnlyMode: boolean }[] };
    const queue = queues.find(({ name }) => name.endsWith(account));
    expect(queue).toMatchObject({ readOnlyMode: true });
    const remove = await board(`/api/queues/${queue?.name}/${id}.1/clean`, basic(ADMIN), 'PUT');
    expect(remove.status).toBeGreaterThanOrEqual(400);
    const token = (
      await api.call('/api-tokens', { method: 'POST', body: { workspace: 'default', scopes: ['admin'] } })
    ).body.token;
    expect((await board('/', `Bearer ${token}`)).status).toBe(403);
  });
});
