import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const GUARD = fileURLToPath(new URL('guard.sh', import.meta.url));

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type GuardedChild = {
  /** Process group of the child and its guard. */
  readonly pid: number;
  /** The child's output; absent where it was sent to a file. */
  readonly process: ChildProcess;
  /** Resolves when the child has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
  readonly hasExited: () => boolean;
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when nothing of it is left. */
  stop(graceMs: number): Promise<Exit>;
  /** SIGKILL to the whole group, as a crash. */
  kill(): Promise<Exit>;
};

export type GuardedOptions = {
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  /** `pipe`, or a file descriptor that takes stdout and stderr. */
  output: 'pipe' | number;
  cwd?: string;
};

/**
 * Starts a child that cannot outlive this process (see guard.sh), in a process group of its own: a Ctrl-C in the
 * terminal reaches only us, so that we can stop our children in order.
 */
export function startGuarded({ command, args, env, output, cwd }: GuardedOptions): GuardedChild {
  const child = spawn('sh', [GUARD, command, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', output, output],
  });
  // Writing to the pipe of a dead child is no news: `exited` tells.
  child.stdin?.on('error', () => {});
  let done = false;
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      done = true;
      resolve({ code, signal });
    });
  });
  const signalGroup = () => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group is gone already, which is what we want.
    }
  };
  return {
    pid: child.pid ?? -1,
    process: child,
    exited,
    hasExited: () => done,
    async stop(graceMs) {
      child.stdin?.end();
      const timer = setTimeout(signalGroup, graceMs);
      return exited.finally(() => clearTimeout(timer));
    },
    kill() {
      signalGroup();
      return exited;
    },
  };
}
