import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findDrift, GENERATED, writeGenerated } from './generated.ts';
import { findSourceBreaches } from './source-rules.ts';

/**
 * `npm run check`: everything about the tree that a tool can see. One line per check, the output of those that fail.
 * `-- --write` first regenerates what is generated and formats what can be formatted.
 */

type Result = { ok: boolean; output: string };
type Check = { name: string; run: () => Promise<Result> };

function runTool(command: string, args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${command}`, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (err) => resolve({ ok: false, output: err.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

const tool = (name: string, command: string, ...args: string[]): Check => ({
  name,
  run: () => runTool(command, args),
});

const SOURCE_FOLDERS = [
  'api',
  'worker',
  'shared',
  'sandbox',
  'local',
  'cli',
  'console',
  'bench',
  'chaos',
  'test',
];

async function checkSources(): Promise<Result> {
  const breaches = findSourceBreaches('.');
  const lines = breaches.map(({ file, line, rule, text }) => `${file}:${line} ${rule}: ${text}`);
  return { ok: lines.length === 0, output: lines.join('\n') };
}

async function checkGenerated(): Promise<Result> {
  const drifts = (await Promise.all(GENERATED.map(findDrift))).filter((drift) => drift !== undefined);
  return { ok: drifts.length === 0, output: drifts.join('\n') };
}

const folders = SOURCE_FOLDERS.filter((folder) => existsSync(folder));
const CHECKS: Check[] = [
  tool('format and lint', 'biome', 'check', '--error-on-warnings', '--colors=off', '.'),
  tool('types', 'tsc', '--noEmit', '--pretty', 'false', '-p', '.'),
  // A browser's globals are the console's alone.
  tool('types of the console', 'tsc', '--noEmit', '--pretty', 'false', '-p', 'console'),
  tool('boundaries', 'depcruise', '--config', '.dependency-cruiser.cjs', ...folders),
  { name: 'source rules', run: checkSources },
  tool('dead code', 'knip', '--no-progress', '--no-config-hints'),
  { name: 'generated files', run: checkGenerated },
];

if (process.argv.includes('--write')) {
  await writeGenerated();
  console.log((await runTool('biome', ['check', '--write', '--colors=off', '.'])).output.trim());
}

const startedMs = performance.now();
const failures: string[] = [];
await Promise.all(
  CHECKS.map(async ({ name, run }) => {
    const { ok, output } = await run();
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name}`);
    if (!ok) failures.push(`--- ${name}\n${output.trim()}`);
  }),
);
if (failures.length > 0) console.error(`\n${failures.join('\n\n')}`);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`\n${CHECKS.length - failures.length} checks passed, ${failures.length} failed in ${seconds} s`);
// Not process.exit: a pipe would lose what is still to be written.
process.exitCode = failures.length > 0 ? 1 : 0;
