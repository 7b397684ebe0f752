import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PROVIDERS, type ProviderName } from '../../shared/domain/integrated-account.ts';
import { type Environment, startWorker } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { startReceiver } from './receiver.ts';
import { aName, BY_KEY, NO_TAKEOVER, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine; on an idle one each test takes a few seconds.
vi.setConfig({ testTimeout: 60_000 });

/** A worker dies with SIGKILL in the middle of a write; the window's repair, and what it would be without. */
let rig: Rig;
let other: Target;
let oneAtATime: Target;
let keyed: Target;
let fielded: Target;
let texted: Target;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  other = await rig.account('close');
  // A marker is checked at the provider, by a worker, when it is set.
  const checking = await startWorker({ redisUrl: testRedisUrl(), prefix: rig.prefix });
  const marked: [ProviderName, Parameters<Rig['account']>[1]][] = [
    ['salesforce', { marker: BY_KEY, rate_limit: { requests: 200, per_seconds: 1, concurrency: 1 } }],
    ['salesforce', { marker: BY_KEY }],
    ['close', { marker: { kind: 'custom_field', field: 'cf_Reference' } }],
    ['capsule', { marker: { kind: 'text', field: 'description' } }],
  ];
  const [first, second, third, fourth] = await Promise.all(
    marked.map(([provider, settings]) => rig.account(provider, settings)),
  );
  if (!first || !second || !third || !fourth) throw new Error('not all were connected');
  [oneAtATime, keyed, fielded, texted] = [first, second, third, fourth];
  await checking.stop();
});
afterAll(() => rig.close());

/** A job accepted later, somewhere else, has come to its end: so much time has passed. */
async function anotherJobIsDone(): Promise<void> {
  const { body } = await rig.create(other, aName('Clock'));
  expect((await rig.ended(String(body.id))).status).toBe('succeeded');
}

/** A create whose worker is dead after its intent was written and before a byte left. */
async function diedAfterStart(account: Target, name: string, env: Environment = {}): Promise<string> {
  const proxy = await rig.proxy();
  const victim = await rig.worker(env, proxy);
  const held = proxy.hold({ script: 'enter-and-start', when: 'after' });
  const { body } = await rig.create(account, name);
  await held.reached;
  await victim.kill();
  expect(await rig.createCalls(account, name)).toBe(0);
  expect((await rig.job(String(body.id))).status).toBe('running');
  return String(body.id);
}

const engineKeys = (account: Target) =>
  rig.redis.keys(`${rig.keys.queuePrefix(rig.partitionOf(account))}:${account.id}:*`);

describe('after the gate', () => {
  it('the lease of the dead worker keeps its place until it expires, and no longer', async () => {
    const account = oneAtATime;
    // The gate lets a create pass and begins its attempt in one step: the window is that of the other calls.
    const proxy = await rig.proxy();
    const victim = await rig.worker({}, proxy);
    const held = proxy.hold({ script: 'gate-enter', when: 'after' });
    const name = aName('Gate');
    const { body } = await rig.create(account, name);
    await held.reached;
    await victim.kill();

    await rig.worker();
    await until('the second worker waits for the place', async () => {
      const job = await rig.job(String(body.id));
      return job.wait_reason === 'rate_limited';
    });
    await anotherJobIsDone();
    expect((await rig.job(String(body.id))).status, 'without the expiry it would wait for ever').toBe(
      'waiting',
    );
    const leases = rig.keys.leases(rig.partitionOf(account), account.id);
    const [lease = '', expiresMs] = await rig.redis.zrange(leases, '0', '0', 'WITHSCORES');
    expect(Number(expiresMs) - Date.now()).toBeLessThan(1_500 + 15_000);
    // Time passes.
    await rig.redis.zadd(leases, 'XX', Date.now(), lease);
    expect((await rig.ended(String(body.id))).status).toBe('succeeded');
    expect(await rig.createCalls(account, name)).toBe(1);
  });
});

describe('after start, before the call', () => {
  it('the second worker looks first, then sends by the same key', async () => {
    const account = keyed;
    const name = aName('Unsent');
    const id = await diedAfterStart(account, name, NO_TAKEOVER);
    const idle = await rig.worker(NO_TAKEOVER);
    await anotherJobIsDone();
    expect((await rig.job(id)).status, 'without the takeover it stays as it is').toBe('running');
    await idle.stop();
    // Whoever looks for dead workers' jobs keeps the others from it for as long as it said it would take.
    await rig.redis.del(`${rig.keys.queuePrefix(rig.partitionOf(account))}:${account.id}:stalled-check`);

    await rig.worker();
    const job = await rig.ended(id);
    expect(job.status).toBe('succeeded');
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['ambiguous', 'succeeded']);
    expect(await rig.records(account, name)).toHaveLength(1);
  });

  it('and its queue is lost, too: the orphan sweep queues it, and it is reconciled', async () => {
    const account = keyed;
    const name = aName('Queueless');
    const id = await diedAfterStart(account, name);
    await rig.redis.del(...(await engineKeys(account)));

    await rig.worker();
    const job = await rig.ended(id);
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['ambiguous', 'succeeded']);
    expect(await rig.records(account, name)).toHaveLength(1);
  });
});

describe('after the call, before its answer', () => {
  it('with every provider and by every means, the record is found, and nothing is sent again', async () => {
    const bare = await Promise.all(PROVIDERS.map((provider) => rig.account(provider)));
    const name = aName('Unanswered');
    const victim = await rig.worker();
    const written = [keyed, fielded, texted, ...bare].map(async (account, i) => {
      const own = `${name} ${i}.`;
      await rig.fault(account, { kind: 'hang_after_commit', match: { body: own } });
      const { body } = await rig.create(account, own);
      await until('the provider has it', async () => (await rig.records(account, own)).length === 1);
      return { account, own, id: String(body.id) };
    });
    const all = await Promise.all(written);
    await victim.kill();

    await rig.worker();
    for (const { account, own, id } of all) {
      const job = await rig.ended(id);
      expect(job.status).toBe('succeeded');
      expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['reconciled']);
      expect(await rig.createCalls(account, own)).toBe(1);
    }
  });
});

describe('after finish', () => {
  it('before the ack of the engine and before anybody is told: the record is skipped, its event told', async () => {
    const account = await rig.account('capsule');
    await using receiver = await startReceiver();
    const endpoint = { url: receiver.url, events: ['job.succeeded'] };
    expect((await rig.ask('POST', '/webhook-endpoints', endpoint)).status).toBe(201);
    const proxy = await rig.proxy();
    const victim = await rig.worker({}, proxy);
    const held = proxy.hold({ script: 'leave-and-move', having: ['"to":"succeeded"'], when: 'after' });
    const name = aName('Unacked');
    const { body } = await rig.create(account, name);
    await held.reached;
    await victim.kill();
    expect((await rig.job(String(body.id))).status).toBe('succeeded');
    const engineJob = `${rig.keys.queuePrefix(rig.partitionOf(account))}:${account.id}:${body.id}.1`;
    expect(await rig.redis.exists(engineJob), 'the engine still has it').toBe(1);

    await rig.worker();
    await until('the engine is through with it', async () => (await rig.redis.exists(engineJob)) === 0);
    expect((await rig.job(String(body.id))).attempts).toHaveLength(1);
    expect(await rig.createCalls(account, name)).toBe(1);
    await until('the event has arrived', () => receiver.jobs.length > 0);
    expect(receiver.jobs).toEqual([body.id]);
  });

  it('before it left its twins: what ended holds nobody up', async () => {
    const account = await rig.account('close');
    const proxy = await rig.proxy();
    const victim = await rig.worker({}, proxy);
    const name = aName('Unsettled twin');
    // Its answer is lost, so that it blocks its lead; then it is found, and dies before it lets go.
    await rig.fault(account, { kind: 'reset_after_commit', match: { body: name } });
    const held = proxy.hold({ command: 'SREM', when: 'before' });
    const { body } = await rig.create(account, name);
    await held.reached;
    await victim.kill();
    expect((await rig.job(String(body.id))).status).toBe('running');

    await rig.worker();
    expect((await rig.ended(String(body.id))).status).toBe('succeeded');
    const twin = await rig.create(account, name);
    expect((await rig.ended(String(twin.body.id))).status).toBe('succeeded');
    expect(await rig.records(account, name)).toHaveLength(2);
  });
});

describe('after a token was refreshed, before it is stored', () => {
  it('a rotated grant is dead: the account is parked, its job waits, new credentials set it going', async () => {
    await rig.control('limits', { provider: 'salesforce', token_rotation: true });
    const grant = (suffix: string) => ({
      ...rig.credentials('salesforce'),
      refresh_token: `demo-salesforce-refresh-${suffix}`,
      access_token: undefined,
    });
    const account = await rig.account('salesforce', {}, grant('lost'));
    const proxy = await rig.proxy();
    const victim = await rig.worker({}, proxy);
    const stored = rig.keys.account(rig.partitionOf(account), account.id);
    const held = proxy.hold({ command: 'EVAL', having: [stored, 'cred_version'], when: 'before' });
    const name = aName('Grant');
    const { body } = await rig.create(account, name);
    await held.reached;
    await victim.kill();
    // Half a minute passes, and the dead worker's lock with it.
    await rig.redis.del(rig.keys.refreshLock(rig.partitionOf(account), account.id));

    await rig.worker();
    await until(
      'the account is parked',
      async () => {
        const { body: shown } = await rig.ask('GET', `/integrated-accounts/${account.id}`);
        return shown.status === 'needs_reauth';
      },
      { withinMs: 45_000 },
    );
    expect((await rig.job(String(body.id))).wait_reason).toBe('account_needs_reauth');
    expect(await rig.createCalls(account, name)).toBe(0);

    await rig.ask('PUT', `/integrated-accounts/${account.id}/credentials`, grant('new'));
    expect((await rig.ended(String(body.id))).status).toBe('succeeded');
    expect(await rig.records(account, name)).toHaveLength(1);
  });
});
