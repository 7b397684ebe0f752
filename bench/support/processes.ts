import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedRedis } from '../../local/embedded-redis.ts';
import { type GuardedChild, startGuarded } from '../../local/guarded-child.ts';
import { findFreePort } from '../../local/ports.ts';
import { waitForAnswer } from '../../local/wait-for-answer.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const ADMIN_TOKEN = 'bench-admin-token-0123456789';
const ENCRYPTION_KEYS = `bench:${Buffer.alloc(32, 7).toString('base64')}`;

/** A process under measurement. `await using` ends it. */
export type Measured = {
  origin: string;
  pid: number;
  cpuMs(): number;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Clock ticks of /proc/PID/stat: fixed at 100 a second on Linux. */
const MS_PER_TICK = 10;

/** CPU time (user and system) of a process so far, in milliseconds; its threads included. Linux only. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** Resident memory of a process now, in MB. Linux only. */
export function residentMbOf(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kb) / 1_024);
}

/** The guard is a shell, and so is its watcher; what is measured is the child that is none. */
function childOf(guardPid: number): number {
  const children = readFileSync(`/proc/${guardPid}/task/${guardPid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const isShell = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('guard.sh');
  return children.filter(Boolean).find((pid) => !isShell(pid)) ?? guardPid;
}

export async function startMeasured(
  script: string,
  portVariable: string,
  readyPath: string,
  env: Record<string, string>,
  nodeArgs: readonly string[] = [],
): Promise<Measured> {
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const child: GuardedChild = startGuarded({
    command: process.execPath,
    // BENCH_PROFILE=DIR leaves a CPU profile of each measured process there, for a browser's developer tools.
    args: [
      ...nodeArgs,
      ...(process.env.BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`] : []),
      script,
    ],
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      [portVariable]: String(port),
      NODE_ENV: 'production',
      ...env,
    },
    output: process.env.BENCH_VERBOSE ? 2 : 'pipe',
  });
  let output = '';
  for (const stream of [child.process.stdout, child.process.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk).slice(-4_000);
    });
  }
  if (!(await waitForAnswer(origin + readyPath, { withinMs: 20_000, isOver: child.hasExited }))) {
    await child.kill();
    throw new Error(`${script} did not become ready:\n${output}`);
  }
  const pid = childOf(child.pid);
  return {
    origin,
    pid,
    cpuMs: () => cpuMsOf(pid),
    [Symbol.asyncDispose]: async () => void (await child.stop(10_000)),
  };
}

export type BenchRedis = { url: string; cpuMs(): number; [Symbol.asyncDispose](): Promise<void> };

/** A Redis of its own for one benchmark: AOF with `appendfsync always`, as in production. */
export async function startBenchRedis(): Promise<BenchRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'dealwright-bench-'));
  const redis = await startEmbeddedRedis(directory, process.env.PATH ?? '');
  const pid = childOf(redis.child.pid);
  return {
    url: redis.url,
    cpuMs: () => cpuMsOf(pid),
    async [Symbol.asyncDispose]() {
      await redis.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Environment that api and worker of one benchmark share. */
export function installationEnv(redisUrl: string, prefix: string): Record<string, string> {
  return {
    REDIS_URL: redisUrl,
    REDIS_PREFIX: prefix,
    ADMIN_TOKEN,
    ENCRYPTION_KEYS,
    PROVIDER_URL_ALLOWLIST: 'http://127.0.0.1:*',
    LOG_LEVEL: 'warn',
    ACCOUNT_BACKLOG_LIMIT: '10000000',
  };
}

export const startBenchApi = (env: Record<string, string>) =>
  startMeasured('api/main.ts', 'PORT', '/readyz', env);
export const startBenchWorker = (env: Record<string, string>) =>
  startMeasured('worker/main.ts', 'WORKER_HEALTH_PORT', '/readyz', env);
/**
 * What it is measured with must not stand still itself: it keeps every call, and with a young generation of the usual size it
 * paused for up to 80 ms to move them, counting calls late that had come in time. At 200 a second 15 of 12,000 calls were refused
 * for it; with a small one 1 of 16,000.
 */
const SANDBOX_ARGS = ['--max-semi-space-size=1'];
export const startBenchSandbox = () =>
  startMeasured('sandbox/main.ts', 'SANDBOX_PORT', '/_control/health', {}, SANDBOX_ARGS);
