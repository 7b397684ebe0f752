import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningProcess, startSandboxProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { aSystem, type Reply, type Send, type System } from './accounts-client.ts';

let sandbox: RunningProcess;
let system: System;
let send: Send;

beforeAll(async () => {
  sandbox = await startSandboxProcess();
  system = await aSystem({ worker: true });
  send = system.send;
});
afterAll(async () => {
  await system?.stop();
  await sandbox?.stop();
});

const closeCredentials = () => ({
  type: 'api_key',
  api_key: `demo-close-key-${randomUUID().slice(0, 8)}`,
  base_url: `${sandbox.origin}/close`,
});

async function connect(more: Record<string, unknown> = {}): Promise<Reply & { id: string }> {
  const reply = await send('POST', '/integrated-accounts', {
    provider: 'close',
    name: 'Acme',
    credentials: closeCredentials(),
    ...more,
  });
  return { ...reply, id: String(reply.body.id) };
}

const salesforce = (settings: unknown) => ({
  provider: 'salesforce',
  credentials: {
    type: 'oauth2_refresh_token',
    instance_url: `${sandbox.origin}/salesforce`,
    login_url: `${sandbox.origin}/salesforce`,
    client_id: 'demo-salesforce-client',
    client_secret: 'demo-salesforce-secret',
    refresh_token: `demo-salesforce-refresh-${randomUUID().slice(0, 8)}`,
  },
  settings,
});

function pointersOf({ body }: Reply): string[] {
  const { details } = body as { details?: { failures: { pointer: string }[] } };
  return (details?.failures ?? []).map(({ pointer }) => pointer);
}

async function setLatency(latency_ms: number): Promise<void> {
  await fetch(`${sandbox.origin}/_control/limits`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'close', latency_ms }),
  });
}

const opportunity = { name: 'Deal', account: { id: 'lead_Northwind' }, owner: { id: 'user_Ann' } };
const createFor = (id: string, workspace?: string) =>
  send(
    'POST',
    `/unified/crm/opportunities?integrated_account_id=${id}`,
    opportunity,
    workspace ? { 'x-workspace': workspace } : {},
  );

describe('connecting', () => {
  it('answers 201 with the account, credentials left out', async () => {
    const settings = { on_unsupported: 'reject', retry: { max_attempts: 3 } };
    const reply = await connect({ settings });
    expect(reply.status).toBe(201);
    expect(reply.headers.get('location')).toBe(`/integrated-accounts/${reply.id}`);
    expect(reply.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      object: 'integrated_account',
      name: 'Acme',
      provider: 'close',
      status: 'active',
      settings,
      limits: { limit: null, remaining: null, reset_at: null, blocked_until: null, source: null },
      queue: { waiting: 0, running: 0, delayed: 0 },
      last_error: null,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    expect((await send('GET', `/integrated-accounts/${reply.id}`)).body).toEqual(reply.body);
  });

  it('is found by its id in any case', async () => {
    const id = randomUUID();
    await connect({ id: id.toUpperCase() });
    expect(await send('GET', `/integrated-accounts/${id.toUpperCase()}`)).toMatchObject({
      status: 200,
      body: { id },
    });
  });

  it('leaves its id to its workspace when it is deleted: what is kept of it is found by the id', async () => {
    const { id } = await connect({});
    expect((await send('DELETE', `/integrated-accounts/${id}`)).status).toBe(204);
    const again = (workspace: string) =>
      send(
        'POST',
        '/integrated-accounts',
        { id, provider: 'close', name: 'Acme', credentials: closeCredentials() },
        { 'x-workspace': workspace },
      );
    expect(await again('another')).toMatchObject({ status: 409, body: { code: 'already_exists' } });
    expect(await again('default')).toMatchObject({ status: 201, body: { id } });
  });

  it('takes an id once', async () => {
    const id = randomUUID();
    expect((await connect({ id })).id).toBe(id);
    const again = await connect({ id });
    expect([again.status, again.body.code]).toEqual([409, 'already_exists']);
    const bad = await connect({ id: 'no-uuid' });
    expect([bad.status, pointersOf(bad)]).toEqual([400, ['/id']]);
  });

  it('names every wrong field of the credentials', async () => {
    const reply = await connect({ credentials: { type: 'api_key', key: 'x', base_url: 'nowhere' } });
    expect(reply.status).toBe(400);
    expect(pointersOf(reply).sort()).toEqual([
      '/credentials/api_key',
      '/credentials/base_url',
      '/credentials/key',
    ]);
    const type = await connect({ credentials: { type: 'password', password: 'x' } });
    expect([type.status, pointersOf(type)]).toEqual([400, ['/credentials/type']]);
    const provider = await connect({ provider: 'hubspot' });
    expect([provider.status, pointersOf(provider)]).toEqual([400, ['/provider']]);
  });

  it('refuses URLs outside of the allow-list', async () => {
    for (const base_url of [
      'http://10.0.0.1/close',
      'http://user:pass@127.0.0.1/close',
      'https://127.0.0.1',
    ]) {
      const reply = await connect({ credentials: { ...closeCredentials(), base_url } });
      expect([reply.status, reply.body.code]).toEqual([400, 'url_not_allowed']);
      expect(pointersOf(reply)).toEqual(['/credentials/base_url']);
      expect(reply.text).not.toContain('pass@');
    }
  });

  it('refuses settings the provider does not have', async () => {
    const foreign = await connect({ settings: { salesforce: { api_version: '62.0' } } });
    expect([foreign.status, pointersOf(foreign)]).toEqual([400, ['/settings/salesforce']]);
    const unknown = await connect({ settings: { retry: { max_attempts: 0 }, colour: 1 } });
    expect(pointersOf(unknown).sort()).toEqual(['/settings/colour', '/settings/retry/max_attempts']);
  });
});

describe('workspaces', () => {
  it('sees its own accounts only', async () => {
    const { id } = await connect();
    const other = { 'x-workspace': 'other' };
    for (const [method, path, body] of [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['PUT', '/credentials', { credentials: closeCredentials() }],
      ['POST', '/check'],
      ['POST', '/pause'],
      ['POST', '/resume'],
    ] as const) {
      const reply = await send(method, `/integrated-accounts/${id}${path}`, body, other);
      expect([method, path, reply.status]).toEqual([method, path, 404]);
    }
    expect((await createFor(id, 'other')).status).toBe(404);
    const list = await send('GET', '/integrated-accounts', undefined, other);
    expect(list.body.data).toEqual([]);
    const own = await send('GET', '/integrated-accounts');
    expect(own.text).toContain(id);
  });
});

describe('changing', () => {
  it('merges top-level settings, and null takes one away', async () => {
    const { id } = await connect({
      settings: { retry: { max_attempts: 3, deadline_seconds: 60 }, timeout_ms: 1_000, read_back: false },
    });
    const reply = await send('PATCH', `/integrated-accounts/${id}`, {
      name: 'New',
      settings: { retry: { max_attempts: 5 }, timeout_ms: null, on_unsupported: 'ignore' },
    });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ name: 'New' });
    expect(reply.body.settings).toEqual({
      retry: { max_attempts: 5 },
      read_back: false,
      on_unsupported: 'ignore',
    });
  });

  it('does not lose one of two changes made at once', async () => {
    const { id } = await connect();
    const patch = (settings: unknown) => send('PATCH', `/integrated-accounts/${id}`, { settings });
    const replies = await Promise.all([patch({ timeout_ms: 1_000 }), patch({ read_back: false })]);
    const { settings } = (await send('GET', `/integrated-accounts/${id}`)).body;
    const taken = replies.filter(({ status }) => status === 200);
    expect(Object.keys(settings as object)).toHaveLength(taken.length);
    for (const { status } of replies) expect([200, 409]).toContain(status);
  });
});

describe('the marker', () => {
  it('is taken when the field is an External ID and Unique', async () => {
    const marker = { kind: 'external_id', field: 'Dealwright_Id__c' };
    const reply = await send('POST', '/integrated-accounts', salesforce({ marker }));
    expect(reply.text).toContain('Dealwright_Id__c');
    expect([reply.status, reply.body.status]).toEqual([201, 'active']);
  });

  it.each([
    ['not unique', { kind: 'external_id', field: 'Legacy_Id__c' }, 'Unique'],
    ['no External ID', { kind: 'external_id', field: 'Dealwright_Ref__c' }, 'External ID'],
    ['the name', { kind: 'external_id', field: 'Name' }, 'Name'],
    ['absent', { kind: 'custom_field', field: 'Nothing__c' }, 'no field'],
    ['no text', { kind: 'custom_field', field: 'Score__c' }, 'text'],
  ])('is refused when the field is %s, and nothing is kept', async (_why, marker, word) => {
    const id = randomUUID();
    const body = { ...salesforce({ marker }), id };
    const reply = await send('POST', '/integrated-accounts', body);
    expect([reply.status, pointersOf(reply)[0]]).toEqual([400, '/settings/marker/field']);
    expect(reply.text).toContain(word);
    expect((await send('GET', `/integrated-accounts/${id}`)).status).toBe(404);
    expect((await send('POST', '/integrated-accounts', { ...body, settings: {} })).status).toBe(201);
    const patched = await send('PATCH', `/integrated-accounts/${id}`, { settings: { marker } });
    expect(patched.status).toBe(400);
    expect((await send('GET', `/integrated-accounts/${id}`)).body.settings).toEqual({});
  });
});

describe('check', () => {
  it('says who we are and what can be read', async () => {
    const { id } = await connect();
    const reply = await send('POST', `/integrated-accounts/${id}/check`);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ ok: true, error: null, marker: null, object: 'account_check' });
    expect(reply.body.user).toBeTruthy();
    expect(reply.body.facts).toMatchObject({ currency: { mode: 'organisation' } });
  });

  it('works while paused, and says what the provider refuses', async () => {
    const { id } = await connect({ credentials: { ...closeCredentials(), api_key: 'wrong' } });
    await send('POST', `/integrated-accounts/${id}/pause`);
    const reply = await send('POST', `/integrated-accounts/${id}/check`);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ ok: false, error: { code: 'account_needs_reauth' } });
  });

  it('checks the marker again', async () => {
    const marker = { kind: 'external_id', field: 'Dealwright_Id__c' };
    const { body } = await send('POST', '/integrated-accounts', salesforce({ marker }));
    const reply = await send('POST', `/integrated-accounts/${body.id}/check`);
    expect(reply.body.marker).toEqual({ ok: true, ...marker, message: null });
  });
});

describe('pause, resume and new credentials', () => {
  const jobOf = async (id: string) => (await send('GET', `/jobs/${id}`)).body;

  it('accepts while paused, and writes after resume', async () => {
    const { id } = await connect();
    expect((await send('POST', `/integrated-accounts/${id}/pause`)).body.status).toBe('paused');
    const { body, status } = await createFor(id);
    expect(status).toBe(202);
    const job = String(body.id);
    expect(await jobOf(job)).toMatchObject({ status: 'waiting', wait_reason: 'account_paused' });
    expect((await send('POST', `/integrated-accounts/${id}/resume`)).body.status).toBe('active');
    await until('the job is written', async () => (await jobOf(job)).status === 'succeeded');
  });

  it('goes on by itself when refused credentials are replaced', async () => {
    const { id } = await connect({ credentials: { ...closeCredentials(), api_key: 'revoked' } });
    const { body } = await createFor(id);
    const parked = await until('the account is parked', async () => {
      const account = (await send('GET', `/integrated-accounts/${id}`)).body;
      return account.status === 'needs_reauth' ? account : undefined;
    });
    expect(parked.last_error).toMatchObject({ code: 'account_needs_reauth' });
    const replaced = await send('PUT', `/integrated-accounts/${id}/credentials`, {
      credentials: closeCredentials(),
    });
    expect(replaced.status).toBe(200);
    expect(replaced.body).toMatchObject({ status: 'active', last_error: null });
    await until('the job is written', async () => (await jobOf(String(body.id))).status === 'succeeded');
  });

  it('keeps a pause by hand when credentials are replaced, and takes them without the wrapper', async () => {
    const { id } = await connect();
    await send('POST', `/integrated-accounts/${id}/pause`);
    const reply = await send('PUT', `/integrated-accounts/${id}/credentials`, closeCredentials());
    expect([reply.status, reply.body.status]).toEqual([200, 'paused']);
    const bad = await send('PUT', `/integrated-accounts/${id}/credentials`, {
      credentials: { type: 'api_key' },
    });
    expect([bad.status, pointersOf(bad)]).toEqual([400, ['/credentials/api_key']]);
    const other = await send('PUT', `/integrated-accounts/${id}/credentials`, {
      credentials: { type: 'personal_access_token', token: 'x' },
    });
    expect([other.status, pointersOf(other)]).toEqual([400, ['/credentials/type']]);
  });
});

describe('deleting', () => {
  it('removes an account without jobs', async () => {
    const { id } = await connect();
    expect((await send('DELETE', `/integrated-accounts/${id}`)).status).toBe(204);
    expect((await send('GET', `/integrated-accounts/${id}`)).status).toBe(404);
    expect((await createFor(id)).status).toBe(404);
  });

  it('is refused while a job is open, and cancels with ?cancel=true', async () => {
    const { id } = await connect();
    await send('POST', `/integrated-accounts/${id}/pause`);
    const { body } = await createFor(id);
    const refused = await send('DELETE', `/integrated-accounts/${id}`);
    expect([refused.status, refused.body.code]).toEqual([409, 'account_has_open_jobs']);
    expect((await send('GET', `/integrated-accounts/${id}`)).body.status).toBe('paused');
    expect((await send('DELETE', `/integrated-accounts/${id}?cancel=true`)).status).toBe(204);
    const job = await send('GET', `/jobs/${body.id}`);
    expect(job.body).toMatchObject({ status: 'cancelled' });
  });

  it('waits out what has started', async () => {
    const { id } = await connect();
    await setLatency(1_500);
    const { body } = await createFor(id);
    await until('it has started', async () => {
      const { status } = (await send('GET', `/jobs/${body.id}`)).body;
      return status === 'running';
    });
    const deletion = send('DELETE', `/integrated-accounts/${id}?cancel=true`);
    await until('it accepts nothing more', async () => (await createFor(id)).status === 404);
    expect((await deletion).status).toBe(204);
    await setLatency(0);
    expect((await send('GET', `/jobs/${body.id}`)).body.status).toBe('succeeded');
    expect((await send('GET', `/integrated-accounts/${id}`)).status).toBe(404);
  });
});
