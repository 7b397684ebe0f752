import { describe, expect, it } from 'vitest';
import { createRandom, pathMatcher } from '../../sandbox/core/faults.ts';
import { createFixedWindow, createSlidingWindow } from '../../sandbox/core/window.ts';
import { until } from '../support/until.ts';
import { anOpportunity, useSalesforce } from './salesforce-harness.ts';

const salesforce = useSalesforce();
const create = (overrides: Record<string, unknown> = {}) =>
  salesforce.api('POST', '/sobjects/Opportunity', anOpportunity(overrides));
const written = async () => (await salesforce.records()).length;

describe('faults', () => {
  it('resets the connection before the write', async () => {
    await salesforce.fault({ kind: 'reset_before_commit' });
    await expect(create()).rejects.toThrow();
    expect(await written()).toBe(0);
    expect((await create()).status).toBe(201);
  });

  it('resets the connection after the write', async () => {
    await salesforce.fault({ kind: 'reset_after_commit' });
    await expect(create()).rejects.toThrow();
    expect(await written()).toBe(1);
  });

  it('answers 502 after the write, with nothing of the real answer', async () => {
    await salesforce.fault({ kind: 'status', status: 502, after_commit: true });
    const reply = await create();
    expect(reply.status).toBe(502);
    expect(reply.headers.get('location')).toBeNull();
    expect(reply.body).toContain('<html>');
    expect(await written()).toBe(1);
  });

  it('answers a status without the write, with the stated body and headers', async () => {
    await salesforce.fault({
      kind: 'status',
      status: 503,
      body: { sorry: true },
      headers: { 'retry-after': '3' },
    });
    const reply = await create();
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '3']);
    expect(await written()).toBe(0);
  });

  it('writes late, after the client has given up', async () => {
    await salesforce.fault({ kind: 'late_commit', delay_ms: 150, reset_after_ms: 20 });
    await expect(create()).rejects.toThrow();
    expect(await written()).toBe(0);
    await until('it is written', async () => (await written()) === 1);
  });

  it('writes late and still answers a client that waited', async () => {
    await salesforce.fault({ kind: 'late_commit', delay_ms: 50 });
    expect((await create()).status).toBe(201);
  });

  it('hangs before the write until the delay closes the connection', async () => {
    await salesforce.fault({ kind: 'hang_before_commit', delay_ms: 50 });
    await expect(create()).rejects.toThrow();
    expect(await written()).toBe(0);
  });

  it('hangs after the write and answers after the delay', async () => {
    await salesforce.fault({ kind: 'hang_after_commit', delay_ms: 100 });
    const pending = create();
    await until('it is written', async () => (await written()) === 1);
    expect((await pending).status).toBe(201);
  });

  it('expires the session, so that the call itself gets 401', async () => {
    await salesforce.fault({ kind: 'expire_token' });
    const reply = await create();
    expect(reply.status).toBe(401);
    expect(reply.body).toEqual([{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }]);
  });

  it('locks a row under 400 and 500 in turn', async () => {
    await salesforce.fault({ kind: 'lock_row', times: 2 });
    const replies = [await create(), await create()];
    expect(replies.map((reply) => reply.status)).toEqual([400, 500]);
    expect(replies[0]?.body).toMatchObject([{ errorCode: 'UNABLE_TO_LOCK_ROW' }]);
  });

  it('hits exactly as many calls as asked, also in parallel', async () => {
    await salesforce.fault({ kind: 'status', status: 500, times: 3 });
    const replies = await Promise.all(Array.from({ length: 10 }, () => create()));
    expect(replies.filter((reply) => reply.status === 500)).toHaveLength(3);
  });

  it('matches method, path and body, and lets the first ones through', async () => {
    await salesforce.fault({
      kind: 'status',
      status: 500,
      times: -1,
      skip: 1,
      match: { method: 'post', path: '/sobjects\\/Opp\\w+$/', body: 'poison' },
    });
    const names = ['fine', 'poison', 'poison', 'fine'];
    const statuses: number[] = [];
    for (const Name of names) statuses.push((await create({ Name })).status);
    expect(statuses).toEqual([201, 201, 500, 201]);
  });

  it('takes a plain path with slashes at both ends for a path', () => {
    expect(pathMatcher('/api/v1/opportunity/')('/close/api/v1/opportunity/x')).toBe(true);
    expect(pathMatcher('/opportunity/')('/close/api/v1/opportunity')).toBe(false);
    expect(pathMatcher('/opportunity\\/?$/')('/close/api/v1/opportunity')).toBe(true);
  });

  it('draws the same chances from the same seed', () => {
    const draw = () => Array.from({ length: 5 }, createRandom(7));
    expect(draw()).toEqual(draw());
  });

  it('lists and deletes', async () => {
    await salesforce.fault({ kind: 'status', status: 500, times: 5 });
    await create();
    const { body } = await salesforce.control('GET', '/faults');
    expect(body).toMatchObject({
      faults: [{ id: expect.any(String), kind: 'status', remaining: 4, hits: 1 }],
    });
    await salesforce.control('DELETE', '/faults');
    expect((await create()).status).toBe(201);
  });

  it('names the bad field of a control body', async () => {
    const reply = await salesforce.control('POST', '/faults', { provider: 'salesforce', kind: 'explode' });
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ errors: [{ field: 'kind' }] });
    const limits = await salesforce.configure({ no_such_switch: 1 });
    expect(limits.body).toMatchObject({ error: expect.stringContaining('no_such_switch') });
  });
});

describe('limits', () => {
  it('is a strict sliding window', () => {
    const window = createSlidingWindow(2, 1000);
    expect([0, 900, 950, 1000, 1500, 1900].map((at) => window.take(at))).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(window.state(1900)).toEqual({ limit: 2, used: 2, remaining: 0, resetAtMs: 2000 });
  });

  it('is a window that ends all at once where that is asked for', async () => {
    const window = createFixedWindow(2, 1000);
    expect([100, 900, 950, 1099, 1100, 1101, 1102].map((at) => window.take(at))).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
    expect(window.state(1103)).toEqual({ limit: 2, used: 2, remaining: 0, resetAtMs: 2100 });
    const asked = await salesforce.configure({ requests: 2, perMs: 60_000, window: 'fixed' });
    expect(asked.body).toMatchObject({ window: 'fixed' });
  });

  it('keeps a window per credential and leaves unmetered paths alone', async () => {
    await salesforce.configure({ requests: 2, perMs: 60_000 });
    const statuses = [(await create()).status, (await create()).status, (await create()).status];
    expect(statuses).toEqual([201, 201, 403]);
    const headers = { authorization: 'Bearer demo-salesforce-access-other' };
    expect((await salesforce.api('GET', '/limits', undefined, headers)).status).toBe(200);
    expect((await salesforce.send('GET', '/salesforce/services/data/')).status).toBe(200);
  });

  it('refuses more calls in flight than allowed and slows each one down', async () => {
    await salesforce.configure({ concurrency: 2, latency_ms: 100 });
    const started = Date.now();
    const replies = await Promise.all([create(), create(), create()]);
    expect(Date.now() - started).toBeGreaterThanOrEqual(95);
    const refused = replies.filter((reply) => reply.status === 403);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.body).toEqual([
      {
        message: 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.',
        errorCode: 'REQUEST_LIMIT_EXCEEDED',
      },
    ]);
    expect((await create()).status).toBe(201);
  });
});

describe('the call log', () => {
  it('shows calls with their fault and no secret', async () => {
    await salesforce.fault({ kind: 'reset_before_commit' });
    await create().catch(() => undefined);
    await create({ Name: 'Logged' });
    await salesforce.send('POST', '/salesforce/services/oauth2/token', {
      body: 'grant_type=refresh_token&refresh_token=demo-salesforce-refresh&client_id=demo-salesforce-client',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    const { body } = await salesforce.control('GET', '/calls?provider=salesforce');
    expect(body).toMatchObject({
      calls: [
        { method: 'POST', status: 0, fault: 'reset_before_commit' },
        {
          status: 201,
          path: '/services/data/v66.0/sobjects/Opportunity',
          body: expect.stringContaining('Logged'),
        },
        { body: 'grant_type=refresh_token&refresh_token=***&client_id=demo-salesforce-client' },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('demo-salesforce-access');
  });

  it('counts by path pattern, status and fault', async () => {
    await create();
    await create();
    await salesforce.api('PATCH', '/sobjects/Opportunity/Dealwright_Id__c/abc', anOpportunity());
    const { body } = await salesforce.control('GET', '/calls?provider=salesforce&summary=true');
    expect(body).toMatchObject({
      total: 3,
      in_flight: 0,
      by_call: {
        'POST /services/data/v66.0/sobjects/Opportunity': 2,
        'PATCH /services/data/v66.0/sobjects/Opportunity/Dealwright_Id__c/{id}': 1,
      },
      by_status: { 201: 3 },
    });
  });
});
