import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type CliRun = {
  child: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  /** Exit code once it has ended and everything it wrote is here. */
  ended: Promise<number | null>;
  /** Waits until stderr holds what is looked for. */
  says: (what: RegExp) => Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
};

type Options = { env?: Record<string, string>; stdin?: string | 'open'; command?: [string, ...string[]] };

/** The import client as a process of its own, with nothing of our environment but the path. */
export function runCli(args: string[], { env = {}, stdin, command }: Options = {}): CliRun {
  const [program, ...first] = command ?? [process.execPath, 'cli/main.ts'];
  const child = spawn(program, [...first, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
    stdio: 'pipe',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  // It may end before it has read everything.
  child.stdin.on('error', () => {});
  if (stdin !== 'open') child.stdin.end(stdin ?? '');
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    says: (what) => until(`${what} on stderr`, () => what.test(stderr)),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
