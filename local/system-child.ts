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

/** Ends with the process, and is waited for at most `graceMs()`; says so, so that Ctrl-C is not a silent wait. */
export function ownChild(
  shutdown: Shutdown,
  of: SystemChild,
  graceMs: () => number,
  onDeath: (err: Error) => void,
) {
  let isWanted = true;
  void of.child.exited.then(
    () => isWanted && onDeath(endedError(of)),
    (err) => onDeath(err),
  );
  return shutdown.own(of.name, of, async ({ name, child }) => {
    isWanted = false;
    await child.stop(graceMs());
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

/** What it wrote last, which nearly always is the reason: its plain words, or its log where there are none. */
function quote({ lastWords }: SystemChild): string {
  const lines = lastWords()
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  const words = lines.filter((line) => !line.startsWith('{'));
  const shown = (words.length > 0 ? words : lines).slice(-10);
  return shown.length === 0
    ? '.'
    : `. Its last words:\n${shown.map((line) => `  ${line.slice(0, 400)}`).join('\n')}`;
}
