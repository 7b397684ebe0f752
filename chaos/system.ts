import { type OwnRedis, startOwnRedis } from '../test/support/own-redis.ts';
import {
  type Environment,
  type RunningProcess,
  startApi,
  startInstead,
  startSandboxProcess,
  startWorker,
  TEST_ADMIN_TOKEN,
} from '../test/support/processes.ts';
import { type ChaosAccount, settingsOf } from './accounts.ts';
import type { Victim } from './plan.ts';

/** Two APIs, two workers, one Redis, one sandbox; slots keep their place while what is in them comes and goes. */
export type System = {
  sandbox: string;
  redis: OwnRedis;
  /** Where a living API process listens, each in turn. */
  origin(): string;
  /** SIGSTOP for so long: it answers nobody, and its connections stay open. */
  freeze(victim: 'worker' | 'redis', forMs: number): Promise<void>;
  /** Everything the living workers wrote. */
  logs(): string;
  /** Log lines of the living workers with this event. */
  logged(event: string): number;
  /** SIGKILL; starts it again after `downMs`. Resolves when it works again. */
  crash(victim: Victim, which: number, downMs: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

type Start = () => Promise<RunningProcess>;
type Slot = { start: Start; process: RunningProcess | undefined };

const SIZE = 2;

export async function startSystem(naive: boolean, env: Environment = {}): Promise<System> {
  await using opened = new AsyncDisposableStack();
  const redis = opened.use(await startOwnRedis());
  const sandbox = opened.use(await startSandboxProcess());
  const installation = {
    redisUrl: redis.url,
    prefix: 'chaos',
    env: { LOG_LEVEL: 'warn', SANDBOX: sandbox.origin, ...env },
  };
  const api: Start = () =>
    naive ? startInstead('api', 'chaos/naive/api.ts', installation) : startApi(installation);
  const worker: Start = () =>
    naive ? startInstead('worker', 'chaos/naive/worker.ts', installation) : startWorker(installation);
  const fill = async (start: Start): Promise<Slot[]> => {
    const slots = Array.from({ length: SIZE }, (): Slot => ({ start, process: undefined }));
    opened.defer(async () => void (await Promise.all(slots.map((slot) => slot.process?.kill()))));
    await Promise.all(slots.map((slot) => refill(slot)));
    return slots;
  };
  const slots = { api: await fill(api), worker: await fill(worker) };
  const owned = opened.move();
  let redisIsBack = Promise.resolve();
  let turn = 0;
  return {
    sandbox: sandbox.origin,
    redis,
    origin() {
      const living = slots.api.flatMap((slot) => slot.process ?? []);
      const chosen = living[turn++ % Math.max(1, living.length)];
      // Nobody listens on port 1: the client is refused, as by a machine without the process.
      return chosen?.origin ?? 'http://127.0.0.1:1';
    },
    async freeze(victim, forMs) {
      if (victim === 'redis') {
        redis.freeze();
        await pause(forMs);
        redis.thaw();
        return;
      }
      const { process: frozen } = await living(slots.worker, 0);
      process.kill(-frozen.child.pid, 'SIGSTOP');
      await pause(forMs);
      process.kill(-frozen.child.pid, 'SIGCONT');
    },
    logs: () => slots.worker.map((slot) => slot.process?.logs() ?? '').join('\n'),
    logged: (event) => slots.worker.flatMap((slot) => slot.process?.records(event) ?? []).length,
    async crash(victim, which, downMs) {
      if (victim === 'redis') {
        redisIsBack = redisIsBack.then(async () => {
          await redis.kill();
          await pause(downMs);
          await redis.start();
        });
        return redisIsBack;
      }
      const { slot, process } = await living(slots[victim], which);
      slot.process = undefined;
      await process.kill();
      await pause(downMs);
      await refill(slot);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A process may fail to start because Redis is down at that moment: an orchestrator would start it again, too. */
async function refill(slot: Slot): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      slot.process = await slot.start();
      return;
    } catch (err) {
      if (tries === 5) throw err;
    }
  }
}

/** The slot asked for, else the next one in which a process lives; a slow machine may have to start one first. */
async function living(slots: Slot[], which: number): Promise<{ slot: Slot; process: RunningProcess }> {
  for (;;) {
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[(which + i) % slots.length];
      if (slot?.process) return { slot, process: slot.process };
    }
    await pause(50);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function connectAccounts(
  system: System,
  accounts: ChaosAccount[],
  settings: (account: ChaosAccount) => object = settingsOf,
): Promise<void> {
  for (const account of accounts) {
    const { id, name, provider, credentials } = account;
    const answer = await fetch(`${system.origin()}/integrated-accounts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id, name, provider, credentials, settings: settings(account) }),
    });
    if (answer.status !== 201) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}
