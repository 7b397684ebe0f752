import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPAIRS, type Repair } from './repairs.ts';

/**
 * `node test/repairs/main.ts [WORD …]`: takes each repair of a crash window out of a copy of the tree, once, and runs
 * the window's test there: it must fail, else it proves nothing. WORDs choose windows by a part of their name.
 * Exit code 1 when a test did not notice. Takes minutes.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TREE = [
  'api',
  'worker',
  'shared',
  'sandbox',
  'console',
  'local',
  'test',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];
const WITHIN_MS = 180_000;

const words = process.argv.slice(2);
const chosen = REPAIRS.filter(
  ({ window }) => words.length === 0 || words.some((word) => window.includes(word)),
);
let unnoticed = 0;
for (const repair of chosen) {
  const { failed, assertion } = await runWithout(repair);
  console.log(`${failed ? 'noticed  ' : 'UNNOTICED'}  ${repair.window}: ${assertion}`);
  if (!failed) unnoticed += 1;
}
console.log(JSON.stringify({ repairs: chosen.length, unnoticed }));
process.exit(unnoticed === 0 ? 0 : 1);

async function runWithout(repair: Repair): Promise<{ failed: boolean; assertion: string }> {
  const copy = await mkdtemp(join(tmpdir(), 'dealwright-repair-'));
  try {
    for (const part of TREE) await cp(join(ROOT, part), join(copy, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const { file, take, leave } of repair.edits) {
      const path = join(copy, file);
      const text = await readFile(path, 'utf8');
      if (!text.includes(take)) throw new Error(`${file} no longer contains: ${take}`);
      await writeFile(
        path,
        text.replace(take, () => leave),
      );
    }
    return await runTest(copy, repair);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** The reporter's own JSON, as vitest documents it. */
type Report = { testResults: { assertionResults: { status: string; failureMessages: string[] }[] }[] };

/** A test that was not found, or could not start, is no proof: it must have run, and failed. */
async function runTest(
  cwd: string,
  { test, named }: Repair,
): Promise<{ failed: boolean; assertion: string }> {
  const file = join(cwd, 'report.json');
  const reporter = ['--reporter=json', `--outputFile=${file}`];
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--maxWorkers=1', ...reporter, test, '-t', named];
  await new Promise((done) => execFile(process.execPath, args, { cwd, timeout: WITHIN_MS }, done));
  const report = JSON.parse(await readFile(file, 'utf8')) as Report;
  const ran = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const broken = ran.find(({ status }) => status === 'failed');
  const passed = ran.some(({ status }) => status === 'passed');
  const assertion =
    broken?.failureMessages[0]?.split('\n')[0]?.slice(0, 160) ??
    (passed ? 'the test passed' : 'no such test');
  return { failed: broken !== undefined, assertion };
}
