import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningProcess, startApi, startSandboxProcess, startWorker } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { aSystem, createClient, dumpRedis } from './accounts-client.ts';

let sandbox: RunningProcess;
beforeAll(async () => {
  sandbox = await startSandboxProcess();
});
afterAll(() => sandbox?.stop());

const CANARY = `canary-${randomBytes(12).toString('hex')}`;

const opportunityFor = (id: unknown) => `/unified/crm/opportunities?integrated_account_id=${id}`;
const opportunity = {
  name: 'Deal',
  account: { id: '4711' },
  owner: { id: 'user_Ann' },
  stage: { name: 'x' },
};

/** Credentials of every kind, each secret a canary the sandbox refuses. */
function canaries() {
  const { origin } = sandbox;
  const oauth = { client_id: `${CANARY}-client`, client_secret: CANARY, refresh_token: CANARY };
  const at = (provider: string) => ({ base_url: `${origin}/${provider}` });
  const salesforce = { instance_url: `${origin}/salesforce`, login_url: `${origin}/salesforce` };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    pem: pem.split('\n')[5] ?? 'absent',
    all: [
      ['close', { type: 'api_key', api_key: CANARY, ...at('close') }],
      ['close', { type: 'oauth2_refresh_token', ...oauth, ...at('close') }],
      ['capsule', { type: 'personal_access_token', token: CANARY, ...at('capsule') }],
      ['capsule', { type: 'oauth2_refresh_token', ...oauth, ...at('capsule') }],
      ['salesforce', { type: 'oauth2_refresh_token', ...oauth, ...salesforce, access_token: CANARY }],
      [
        'salesforce',
        {
          type: 'jwt_bearer',
          client_id: CANARY,
          username: 'ann',
          private_key: pem,
          login_url: salesforce.login_url,
        },
      ],
    ] as const,
  };
}

describe('credentials', () => {
  it('appear nowhere: not in answers, not in logs, not in Redis', async () => {
    const system = await aSystem({ worker: true, env: { LOG_LEVEL: 'trace' } });
    const { send } = system;
    const { all, pem } = canaries();
    const ids: unknown[] = [];
    for (const [provider, credentials] of all) {
      const { body, status } = await send('POST', '/integrated-accounts', { provider, credentials });
      expect(status).toBe(201);
      ids.push(body.id);
    }
    // Every way a credential is handled: used, refused, refreshed, replaced, shown, malformed.
    await Promise.all(ids.map((id) => send('POST', `/integrated-accounts/${id}/check`)));
    await Promise.all(ids.map((id) => send('POST', opportunityFor(id), opportunity)));
    await Promise.all(ids.map((id) => send('POST', `${opportunityFor(id)}&dry_run=true`, opportunity)));
    await until('all are parked or their jobs ended', async () => {
      const { data } = (await send('GET', '/jobs')).body as { data: { status: string }[] };
      return data.every(({ status }) => status !== 'queued' && status !== 'running');
    });
    for (const [i, [provider, credentials]] of all.entries()) {
      await send('PUT', `/integrated-accounts/${ids[i]}/credentials`, { credentials });
      await send('PUT', `/integrated-accounts/${ids[i]}/credentials`, { ...credentials, type: 'other' });
      await send('PUT', `/integrated-accounts/${ids[i]}/credentials`, {
        credentials: { ...credentials, extra: CANARY },
      });
      const base_url = `http://10.1.2.3/${CANARY}?key=${CANARY}`;
      const moved = { ...credentials, base_url, instance_url: base_url, login_url: base_url };
      await send('POST', '/integrated-accounts', { provider, credentials: moved });
      await send('POST', '/integrated-accounts', { provider, credentials: CANARY });
      const wrong = { ...credentials, type: 'jwt_bearer', private_key: `not a key ${CANARY}` };
      const answer = await send('POST', '/integrated-accounts', { provider, credentials: wrong });
      expect(answer.status).toBe(400);
    }
    await send('GET', '/integrated-accounts');
    await send('GET', '/jobs', undefined, { authorization: `Bearer ${CANARY}` });
    await send('PATCH', `/integrated-accounts/${ids[0]}`, { name: 'x' });

    const stored = await dumpRedis(system.prefix);
    expect(stored.size).toBeGreaterThan(ids.length);
    await system.stop();
    const places = {
      answers: system.seen.join('\n'),
      'api log': system.api.logs(),
      'worker log': system.worker?.logs() ?? '',
      redis: [...stored].map(([key, value]) => `${key} ${value}`).join('\n'),
    };
    const encoded = [CANARY, Buffer.from(`${CANARY}:`).toString('base64'), pem];
    for (const [place, text] of Object.entries(places)) {
      expect(text.length).toBeGreaterThan(200);
      for (const secret of encoded) expect(`${place}: ${excerpt(text, secret)}`).toBe(`${place}: `);
    }
  }, 60_000);
});

/** Where it was found, so that a failure shows the place. */
function excerpt(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 80);
}

describe('ENCRYPTION_KEYS', () => {
  const [old, fresh] = ['old', 'fresh'].map((id) => `${id}:${randomBytes(32).toString('base64')}`);
  const credentials = () => ({
    type: 'api_key',
    api_key: `demo-close-key-${randomBytes(4).toString('hex')}`,
    base_url: `${sandbox.origin}/close`,
  });

  it('rotates: what the old key sealed still opens, and is sealed anew at its next write', async () => {
    const system = await aSystem({ env: { ENCRYPTION_KEYS: `${old}` } });
    const { body } = await system.send('POST', '/integrated-accounts', {
      provider: 'close',
      credentials: credentials(),
    });
    await system.stop();
    const rotated = { ...system.installation, env: { ENCRYPTION_KEYS: `${fresh},${old}` } };
    await using api = await startApi(rotated);
    await using worker = await startWorker(rotated);
    const send = createClient(api.origin);
    const check = await send('POST', `/integrated-accounts/${body.id}/check`);
    expect(check.body).toMatchObject({ ok: true });
    const sealed = async () =>
      [...(await dumpRedis(system.prefix)).values()].find((value) => value.includes('"credentials"'));
    expect(await sealed()).toContain('"v1.old.');
    await send('PUT', `/integrated-accounts/${body.id}/credentials`, { credentials: credentials() });
    expect(await sealed()).toContain('"v1.fresh.');
    expect(worker.logs()).not.toContain('"level":50');
  }, 60_000);

  it('says which key is missing on the account, loses no job, and goes on when it is back', async () => {
    const system = await aSystem({ env: { ENCRYPTION_KEYS: `${old}` } });
    const { send } = system;
    const { body } = await send('POST', '/integrated-accounts', {
      provider: 'close',
      credentials: credentials(),
    });
    const path = `/integrated-accounts/${body.id}`;
    const wrong = { ...system.installation, env: { ENCRYPTION_KEYS: `${fresh}` } };
    const blind = await startWorker(wrong);
    const check = await send('POST', `${path}/check`);
    expect(check.body).toMatchObject({ ok: false, error: { message: expect.stringContaining('"old"') } });
    const { last_error } = (await send('GET', path)).body;
    expect(last_error).toMatchObject({ message: expect.stringContaining('not in ENCRYPTION_KEYS') });

    const job = await send('POST', opportunityFor(body.id), {
      ...opportunity,
      account: { id: 'lead_Northwind' },
      stage: undefined,
    });
    expect(job.status).toBe(202);
    await until(
      'the account is parked',
      async () => (await send('GET', path)).body.status === 'needs_reauth',
    );
    expect(blind.child.hasExited()).toBe(false);
    await blind.stop();

    await using seeing = await startWorker(system.installation);
    await send('POST', `${path}/resume`);
    await until('the job is written', async () => {
      const { status } = (await send('GET', `/jobs/${job.body.id}`)).body;
      return status === 'succeeded';
    });
    expect((await send('GET', path)).body).toMatchObject({ status: 'active', last_error: null });
    await seeing.stop();
    await system.stop();
  }, 60_000);
});
