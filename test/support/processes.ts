import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Exit, type GuardedChild, startGuarded } from '../../local/guarded-child.ts';
import { findFreePort } from '../../local/ports.ts';
import { waitForAnswer } from '../../local/wait-for-answer.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STOP_MS = 15_000;
const READY_MS = 20_000;

/** A real process of ours. `await using` ends it with the test, whatever happened. */
export type RunningProcess = {
  name: ProcessName;
  /** Where it listens; the worker's is its health port. */
  origin: string;
  child: GuardedChild;
  /** Everything it wrote so far, stdout and stderr. */
  logs(): string;
  /** Log lines that are JSON, parsed; `event` filters by message. */
  records(event?: string): Record<string, unknown>[];
  /** As an orchestrator stops it: SIGTERM, and time to finish. */
  stop(): Promise<Exit>;
  /** As a crash: SIGKILL, nothing is finished. */
  kill(): Promise<Exit>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type ProcessName = 'api' | 'worker' | 'sandbox';
export type Environment = Record<string, string>;

/** What the api and worker of one test must agree on. */
export type Installation = { redisUrl: string; prefix: string; env?: Environment };

const PORT_VARIABLE = { api: 'PORT', worker: 'WORKER_HEALTH_PORT', sandbox: 'SANDBOX_PORT' } as const;
const READY_PATH = { api: '/readyz', worker: '/readyz', sandbox: '/_control/calls?provider=close' } as const;

/** Bearer token that every api started here takes. */
export const TEST_ADMIN_TOKEN = 'test-admin-token-0123456789';
// One key for all processes of a run, so that an api can seal what a worker opens.
const TEST_ENCRYPTION_KEYS = `test:${randomBytes(32).toString('base64')}`;

function environmentOf({ redisUrl, prefix, env }: Installation): Environment {
  return {
    REDIS_URL: redisUrl,
    REDIS_PREFIX: prefix,
    ADMIN_TOKEN: TEST_ADMIN_TOKEN,
    ENCRYPTION_KEYS: TEST_ENCRYPTION_KEYS,
    PROVIDER_URL_ALLOWLIST: 'http://127.0.0.1:*',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    LOG_LEVEL: 'debug',
    // Crash tests must not take minutes: a dead worker's jobs are taken over within seconds.
    ENGINE_LOCK_MS: '2000',
    ENGINE_STALLED_MS: '500',
    SWEEP_MS: '500',
    ORPHAN_MS: '1000',
    SHUTDOWN_MS: '5000',
    ...env,
  };
}

export function startApi(installation: Installation): Promise<RunningProcess> {
  return startProcess('api', environmentOf(installation));
}

export function startWorker(installation: Installation): Promise<RunningProcess> {
  return startProcess('worker', environmentOf(installation));
}

export function startSandboxProcess(env: Environment = {}): Promise<RunningProcess> {
  return startProcess('sandbox', env);
}

/** A program that takes the place of one of ours: it reads the same variables and answers the same readiness path. */
export function startInstead(
  name: ProcessName,
  script: string,
  installation: Installation,
): Promise<RunningProcess> {
  return startProcess(name, environmentOf(installation), script);
}

/** Starts one process on a free port and waits until it is ready to work. */
async function startProcess(
  name: ProcessName,
  env: Environment,
  script = `${name}/main.ts`,
): Promise<RunningProcess> {
  const port = await findFreePort();
  const child = startGuarded({
    command: process.execPath,
    args: [script],
    cwd: ROOT,
    // Nothing of the surrounding environment: a REDIS_URL there must not decide a test.
    env: {
      PATH: process.env.PATH,
      TZ: process.env.TZ,
      HOST: '127.0.0.1',
      [PORT_VARIABLE[name]]: String(port),
      ...env,
    },
    output: 'pipe',
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.process.stdout?.on('data', collect);
  child.process.stderr?.on('data', collect);
  const origin = `http://127.0.0.1:${port}`;
  const dispose = async () => {
    await child.kill();
  };
  const readyUrl = `${origin}${READY_PATH[name]}`;
  if (!(await waitForAnswer(readyUrl, { withinMs: READY_MS, isOver: child.hasExited }))) {
    await dispose();
    throw new Error(`${name} did not become ready. It wrote:\n${output.slice(-4_000)}`);
  }
  return {
    name,
    origin,
    child,
    logs: () => output,
    records: (event) => parseRecords(output).filter((record) => !event || record.msg === event),
    stop: () => child.stop(STOP_MS),
    kill: () => child.kill(),
    [Symbol.asyncDispose]: dispose,
  };
}

function parseRecords(output: string): Record<string, unknown>[] {
  return output.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      // The last line may still be on its way.
      return [];
    }
  });
}
