import { Unreached } from './api.ts';
import { parseArguments, USAGE } from './arguments.ts';
import { createProgress } from './progress.ts';
import { run, type Stage } from './run.ts';
import { Stop } from './stop.ts';
import { findTarget } from './target.ts';

/** `npm run import`: a client of the public HTTP API like any other. */
async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
  if (parsed.ok === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (!parsed.ok) throw new Stop(`${parsed.message}\n\n${USAGE}`);
  const interrupt = new AbortController();
  let stage: Stage | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    interrupt.signal.addEventListener('abort', () => reject(interrupt.signal.reason));
  });
  // One Ctrl-C arrives twice, from the terminal and through npm.
  process.on('SIGINT', () => interrupt.abort());
  process.on('SIGTERM', () => interrupt.abort());
  const nowMs = () => performance.now();
  const progress = createProgress(process.stderr, nowMs);
  const around = {
    target: findTarget(parsed.value, process.env),
    // npm runs scripts in the folder of package.json, wherever the user stands.
    folder: process.env.INIT_CWD || process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    progress,
    signal: interrupt.signal,
    nowMs,
  };
  try {
    const running = run(parsed.value, around, (next) => {
      stage = next;
    });
    // Not everything that is waited for hears the signal: standard input may be silent for ever.
    return await Promise.race([running, interrupted]);
  } catch (err) {
    if (!interrupt.signal.aborted) throw err;
    progress.note(farewell(stage));
    return 130;
  }
}

/** What an interrupted user must know. */
function farewell(stage: Stage | undefined): string {
  if (stage?.kind === 'work') {
    return `The import goes on without this window. To follow it again:\n  npm run import -- --attach ${stage.importId}`;
  }
  if (stage?.isAllSent === 'maybe') {
    return `Standard input was being sent, and may have arrived whole. To find out, run the same command with the same input and --idempotency-key ${stage.key}: it is never imported twice.`;
  }
  if (stage?.isAllSent) {
    return `The file was sent, its answer had not come. To find out, run the same command with --idempotency-key ${stage.key}: it is never imported twice.`;
  }
  return 'Interrupted before the file was sent; nothing is imported.';
}

try {
  process.exitCode = await main();
} catch (err) {
  if (!(err instanceof Stop || err instanceof Unreached)) throw err;
  console.error(err.message);
  process.exitCode = 2;
} finally {
  // Whoever feeds us may never end; we do.
  process.stdin.destroy();
}
