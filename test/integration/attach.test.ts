import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { createAccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY, WriteMessage } from '../../shared/queues/messages.ts';
import { partitionOfAccount } from '../../shared/redis/partitions.ts';
import { createAccountStore } from '../../shared/stores/account-store.ts';
import { createJobStore } from '../../shared/stores/job-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import { type AttachDeps, QueueAttacher } from '../../worker/attach-accounts.ts';
import { DONE, type NextStep } from '../../worker/next-step.ts';
import { runQueue } from '../../worker/run-queue.ts';
import { aTestRedis, connectTestRedis, silentLogger } from '../support/redis.ts';
import { until } from '../support/until.ts';

const PARTITIONS = 2;

/** An attacher whose queues are left after `idleMs`, and what puts jobs in as the API does. No sweep runs. */
async function anAttacher(idleMs: number, more: Partial<AttachDeps> = {}) {
  const { redis, keys } = await aTestRedis();
  const accepting = await connectTestRedis('producer');
  const jobs = createJobStore({
    redis: accepting,
    keys,
    partitions: PARTITIONS,
    clock: systemClock,
    retentionMs: 60_000,
    backlogLimit: 1_000,
    orphanMs: 60_000,
    replicas: 0,
  });
  const box = createSealedBox([{ id: 'k', key: Buffer.alloc(32, 1) }]);
  const accounts = createAccountStore({
    redis: accepting,
    keys,
    partitions: PARTITIONS,
    clock: systemClock,
    box,
  });
  const queues = createAccountQueues({
    redis: accepting,
    keys,
    partitions: PARTITIONS,
    logger: silentLogger,
  });
  const ran = new Map<string, number>();
  const workerQueues = createAccountQueues({ redis, keys, partitions: PARTITIONS, logger: silentLogger });
  let next: (job: string) => NextStep = () => DONE;
  const attacher = new QueueAttacher({
    redis,
    connection: await connectTestRedis('worker'),
    subscriber: await connectTestRedis(),
    keys,
    partitions: PARTITIONS,
    queues: workerQueues,
    accountOf: accounts.get,
    concurrencyOf: () => 4,
    write: async (message) => {
      const { job } = WriteMessage.parse(message);
      const found = await jobs.find(job);
      // As a run ends: the record first, the engine's job after it.
      if (found?.status === 'queued') await jobs.move(found, { to: 'running' });
      ran.set(job, Date.now());
      return next(job);
    },
    answerQuery: async () => DONE,
    deliver: async () => DONE,
    lockMs: 30_000,
    stalledMs: 30_000,
    idleMs,
    logger: silentLogger,
    ...more,
  });
  await attacher.listen();
  onTestFinished(async () => {
    await attacher.stop();
    await Promise.all([queues.close(), workerQueues.close()]);
  });

  async function anAccount(): Promise<string> {
    const made = await accounts.create({
      id: randomUUID(),
      workspace: 'default',
      provider: 'close',
      name: 'x',
      settings: {},
      credentials: { type: 'api_key', api_key: 'k' },
    });
    if (made === 'exists') throw new Error('exists');
    return made.id;
  }

  /** Record, queue, and a bell only if the record's script asked for one. `between` runs before the queue has it. */
  async function accept(account: string, between: () => Promise<unknown> = async () => {}): Promise<string> {
    const id = jobs.newId(account);
    const accepted = await jobs.accept(id, {
      workspace: 'default',
      account,
      provider: 'close',
      request: { query: { response_format: 'unified' }, body: {} },
      appliedDefaults: {},
      warnings: [],
    });
    if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
    await between();
    await queues.add(account, id, 1, PRIORITY.interactive);
    if (accepted.bell) await queues.ring(account);
    return id;
  }

  return {
    attacher,
    accounts,
    queues,
    ran,
    anAccount,
    accept,
    /** What becomes of a message; default: done. */
    answer: (step: (job: string) => NextStep) => {
      next = step;
    },
  };
}

it('the queue of an active account that was left paused (by a crash between the two) is resumed when it is attached', async () => {
  const { queues, ran, anAccount, accept } = await anAttacher(5_000);
  const account = await anAccount();
  await queues.pause(account);
  const job = await accept(account);
  await until('the job ran', () => ran.has(job));
  expect(await queues.isPaused(account)).toBe(false);
});

describe('a queue that is left', () => {
  it('runs at once what is accepted in that very moment: 200 rounds', async () => {
    const rig = await anAttacher(5);
    const accounts = await Promise.all(Array.from({ length: 8 }, rig.anAccount));
    const waits: number[] = [];
    await Promise.all(
      accounts.map(async (account, lane) => {
        for (let round = 0; round < 25; round++) {
          const acceptedAtMs = Date.now();
          const id = await rig.accept(account);
          await until(`job ${round} of lane ${lane} has run`, () => rig.ran.has(id), {
            withinMs: 4_000,
            everyMs: 2,
          });
          waits.push((rig.ran.get(id) ?? 0) - acceptedAtMs);
          // From at once until after the queue has been left: every moment of leaving is hit by some round.
          const goesOnAtMs = Date.now() + ((round * 7 + lane * 3) % 30);
          await until('the moment has come', () => Date.now() >= goesOnAtMs, { everyMs: 1 });
        }
      }),
    );
    waits.sort((a, b) => a - b);
    // A missed bell would wait for a sweep, which never comes here: that none is missed is said by all having run. How
    // soon is a matter of the machine, so of the middle only.
    expect(waits).toHaveLength(200);
    expect(waits[100]).toBeLessThan(500);
  });

  it('is not left between a record and its engine job, where no bell is going to ring', async () => {
    const rig = await anAttacher(20);
    const account = await rig.anAccount();
    const first = await rig.accept(account);
    await until('the first has run', () => rig.ran.has(first));
    const second = await rig.accept(account, () => {
      // Longer than a queue without work is kept.
      const atMs = Date.now() + 150;
      return until('the queue could have been left', () => Date.now() >= atMs, { everyMs: 5 });
    });
    await until('the second has run', () => rig.ran.has(second), { withinMs: 3_000 });
  });

  it('costs no worker any more, and gets one again with the next bell', async () => {
    const rig = await anAttacher(20);
    const account = await rig.anAccount();
    for (let round = 0; round < 3; round++) {
      const id = await rig.accept(account);
      await until('it has run', () => rig.ran.has(id));
      await until('the queue is left', () => rig.attacher.size === 0);
    }
  });

  it('because its next work is far away comes back for what is accepted before that', async () => {
    const rig = await anAttacher(20);
    const account = await rig.anAccount();
    rig.answer(() => ({ kind: 'wait', untilMs: Date.now() + 600_000, wholeQueue: false }));
    const first = await rig.accept(account);
    await until('the first was given back', () => rig.ran.has(first));
    await until('the queue is left', () => rig.attacher.size === 0);
    rig.answer(() => DONE);
    const second = await rig.accept(account);
    await until('the second has run', () => rig.ran.has(second), { withinMs: 3_000 });
  });

  it('until its next work is due comes back in time for it, without a sweep', async () => {
    const rig = await anAttacher(20, { leaveForMs: 300 });
    const account = await rig.anAccount();
    let runs = 0;
    const dueMs: number[] = [];
    rig.answer(() => {
      if (++runs > 1) return DONE;
      dueMs.push(Date.now() + 1_500);
      return { kind: 'wait', untilMs: Date.now() + 1_500, wholeQueue: false };
    });
    await rig.accept(account);
    await until('the queue is left', () => runs === 1 && rig.attacher.size === 0, { withinMs: 1_000 });
    await until('it ran again', () => runs === 2, { withinMs: 4_000 });
    expect(Date.now()).toBeGreaterThanOrEqual((dueMs[0] ?? 0) - 5);
  });

  it('is not left while its next work is near', async () => {
    const rig = await anAttacher(20);
    const account = await rig.anAccount();
    let runs = 0;
    rig.answer(() => (++runs === 1 ? { kind: 'wait', untilMs: Date.now() + 400, wholeQueue: false } : DONE));
    await rig.accept(account);
    await until('it ran again', () => runs === 2, { withinMs: 3_000 });
  });
});

describe('a held account', () => {
  it('runs nothing, costs no worker, and goes on when it is resumed', async () => {
    const rig = await anAttacher(20);
    const account = await rig.anAccount();
    await rig.accounts.setStatus(account, 'paused');
    await rig.queues.pause(account);
    const id = await rig.accept(account);
    await until('nobody attends to it', () => rig.attacher.size === 0);
    expect(rig.ran.has(id)).toBe(false);
    await rig.accounts.setStatus(account, 'active');
    await rig.queues.resume(account);
    await rig.queues.activate(account);
    await until('it has run', () => rig.ran.has(id), { withinMs: 3_000 });
  });

  it('that is resumed while bells ring is never left behind paused: 40 rounds', async () => {
    const rig = await anAttacher(10);
    const account = await rig.anAccount();
    for (let round = 0; round < 40; round++) {
      await rig.accounts.setStatus(account, 'paused');
      await rig.queues.pause(account);
      const id = await rig.accept(account);
      // Bells that find it paused meet its being resumed.
      const bells = Array.from({ length: 1 + (round % 5) }, () => rig.queues.ring(account));
      await rig.accounts.setStatus(account, 'active');
      await Promise.all([...bells, rig.queues.resume(account)]);
      await rig.queues.activate(account);
      await until(`round ${round} has run`, () => rig.ran.has(id), { withinMs: 3_000, everyMs: 2 });
    }
  });
});

describe('an engine that hangs', () => {
  const HANGS = { close: () => Promise.resolve() };

  it('and fetches nothing although there is work is replaced', async () => {
    let engines = 0;
    const run: typeof runQueue = (options) => (++engines === 1 ? HANGS : runQueue(options));
    const rig = await anAttacher(20, { run, stuckMs: 200 });
    const id = await rig.accept(await rig.anAccount());
    await until('it has run', () => rig.ran.has(id));
    expect(engines).toBe(2);
  });

  it('in its closing does not keep the account from getting another at once', async () => {
    let engines = 0;
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const neverClosed = {
      close: () => {
        ask();
        return new Promise<void>(() => {});
      },
    };
    const run: typeof runQueue = (options) => (++engines === 1 ? neverClosed : runQueue(options));
    const rig = await anAttacher(20, { run });
    const account = await rig.anAccount();
    await rig.queues.ring(account);
    await asked;
    const id = await rig.accept(account);
    await until('it has run', () => rig.ran.has(id), { withinMs: 1_500 });
  });

  it('is told from one that a limit or a pause holds back: there it has nothing to fetch', async () => {
    const { redis, keys } = await aTestRedis();
    const queues = createAccountQueues({ redis, keys, partitions: PARTITIONS, logger: silentLogger });
    onTestFinished(() => queues.close());
    const account = randomUUID();
    const isReady = () => queues.hasReadyWork(partitionOfAccount(account, PARTITIONS), account);
    expect(await isReady()).toBe(false);
    await queues.add(account, 'job', 1, PRIORITY.interactive);
    expect(await isReady()).toBe(true);
    await queues.pause(account);
    expect(await isReady()).toBe(false);
    await queues.resume(account);
    expect(await isReady()).toBe(true);
    await queues.holdBack(account, 60_000);
    expect(await isReady()).toBe(false);
  });
});
