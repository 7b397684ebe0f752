import { closeSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Shutdown } from '../shared/shutdown.ts';
import { type GuardedChild, startGuarded } from './guarded-child.ts';
import { waitForAnswer } from './wait-for-answer.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const READY_MS = 60_000;

export type SystemChild = { name: string; child: GuardedChild; lastWords: () => string };

/** Why the system cannot go on, in words for the person at the terminal. */
export class ChildEnded extends Error {
  override name = 'ChildEnded';
}

/** Ends with the process, and is waited for at most `graceMs`; says so, so that Ctrl-C is not a silent wait. */
export function ownChild(
  shutdown: Shutdown,
  of: SystemChild,
  graceMs: number,
  onDeath: (err: Error) => void,
) {
  let isWanted = true;
  void of.child.exited.then(
    () => isWanted && onDeath(endedError(of)),
    (err) => onDeath(err),
  );
  return shutdown.own(of.name, of, async ({ name, child }) => {
    isWanted = false;
    await child.stop(graceMs);
    console.log(`  ${name} stopped`);
  });
}

export type ProcessOptions = {
  name: string;
  env: Record<string, string | undefined>;
  logDir: string;
};

/** Starts `NAME/main.ts` as deployment does; its output goes to a file, the previous run's file is kept once. */
export function startProcess({ name, env, logDir }: ProcessOptions): SystemChild {
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  const logFile = join(logDir, `${name}.log`);
  try {
    renameSync(logFile, join(logDir, `${name}.previous.log`));
  } catch {
    // The first run has no previous one.
  }
  const output = openSync(logFile, 'a', 0o600);
  const child = startGuarded({
    command: process.execPath,
    args: [`${name}/main.ts`],
    cwd: ROOT,
    env,
    output,
  });
  // The child has its own handle.
  closeSync(output);
  return { name, child, lastWords: () => readFileSync(logFile, 'utf8') };
}

/** @throws ChildEnded when it ends, or does not get ready in time. */
export async function waitUntilReady(of: SystemChild, url: string): Promise<void> {
  if (await waitForAnswer(url, { withinMs: READY_MS, isOver: of.child.hasExited })) return;
  if (of.child.hasExited()) throw endedError(of);
  throw new ChildEnded(`${of.name} was not ready within ${READY_MS / 1000} s${quote(of)}`);
}

function endedError(of: SystemChild): ChildEnded {
  return new ChildEnded(`${of.name} ended unexpectedly${quote(of)}`);
}

/** The last lines it wrote, without the stack: nearly always the reason. */
function quote({ lastWords }: SystemChild): string {
  const lines = lastWords()
    .trim()
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .slice(-10);
  return lines.join('') === ''
    ? '.'
    : `. Its last words:\n${lines.map((l) => `  ${l.slice(0, 400)}`).join('\n')}`;
}
