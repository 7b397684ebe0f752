import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findSourceBreaches } from '../../local/source-rules.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const leaf = 'export const leaf = 1;\n';

/** rule → files that break it; the first file is the culprit. */
const BREACHES: [rule: string, files: Record<string, string>][] = [
  ['no-cycles', { 'api/a.ts': `import './b.ts';\n`, 'api/b.ts': `import './a.ts';\n` }],
  ['shared-knows-no-process', { 'shared/stores/x.ts': `import '../../api/app.ts';\n`, 'api/app.ts': leaf }],
  ['api-not-worker', { 'api/reach.ts': `import '../worker/health.ts';\n`, 'worker/health.ts': leaf }],
  ['worker-not-api', { 'worker/reach.ts': `import '../api/wait.ts';\n`, 'api/wait.ts': leaf }],
  ['processes-stand-alone', { 'worker/fake.ts': `import '../sandbox/core.ts';\n`, 'sandbox/core.ts': leaf }],
  [
    'api-calls-no-crm',
    {
      'api/routes/direct.ts': `import '../../shared/providers/close/client.ts';\n`,
      'shared/providers/close/client.ts': leaf,
    },
  ],
  [
    'api-calls-no-crm',
    {
      // Through a third file counts too.
      'api/routes/indirect.ts': `import '../../shared/use-cases/sly.ts';\n`,
      'shared/use-cases/sly.ts': `import '../providers/send.ts';\n`,
      'shared/providers/send.ts': leaf,
    },
  ],
  [
    'api-calls-no-crm',
    { 'api/routes/gate.ts': `import '../../shared/providers/gate.ts';\n`, 'shared/providers/gate.ts': leaf },
  ],
  [
    'api-calls-no-crm',
    {
      'api/routes/all.ts': `import '../../shared/providers/clients.ts';\n`,
      'shared/providers/clients.ts': leaf,
    },
  ],
  ['pure-does-no-io', { 'shared/domain/reads.ts': `import 'node:fs';\n` }],
  ['pure-does-no-io', { 'shared/domain/reads-promises.ts': `import 'node:fs/promises';\n` }],
  ['pure-does-no-io', { 'shared/providers/close/mapping.ts': `import 'undici';\n` }],
  ['pure-does-no-io', { 'shared/providers/capsule/failures.ts': `import 'ioredis';\n` }],
  [
    'pure-does-no-io',
    {
      'worker/write-opportunity/decide.ts': `import '../engine.ts';\n`,
      'worker/engine.ts': `import 'bullmq';\n`,
    },
  ],
  [
    'providers-stand-alone',
    {
      'shared/providers/close/borrow.ts': `import '../capsule/lend.ts';\n`,
      'shared/providers/capsule/lend.ts': leaf,
    },
  ],
  [
    'domain-rests-on-nothing',
    {
      'shared/domain/peek.ts': `import '../providers/close/paths.ts';\n`,
      'shared/providers/close/paths.ts': leaf,
    },
  ],
  [
    'sandbox-stands-alone',
    { 'sandbox/core/cheat.ts': `import '../../shared/money.ts';\n`, 'shared/money.ts': leaf },
  ],
  ['clients-use-http', { 'cli/inside.ts': `import '../api/inner.ts';\n`, 'api/inner.ts': leaf }],
  ['clients-use-http', { 'console/inside.js': `import '../api/inner.ts';\n`, 'api/inner.ts': leaf }],
  ['clients-use-http', { 'cli/beneath.ts': `import '../shared/part.ts';\n`, 'shared/part.ts': leaf }],
  [
    'bullmq-in-its-place',
    { 'worker/other.ts': `import type { Job } from 'bullmq';\nexport type J = Job;\n` },
  ],
  ['ioredis-in-its-place', { 'api/connects.ts': `import 'ioredis';\n` }],
  ['express-in-its-place', { 'worker/serves.ts': `import 'express';\n` }],
  ['undici-in-its-place', { 'api/calls.ts': `import 'undici';\n` }],
  ['no-dev-packages-in-production', { 'api/tests-itself.ts': `import 'vitest';\n` }],
  ['resolvable', { 'api/nowhere.ts': `import './missing.ts';\n` }],
];

/** What must stay allowed; a rule that forbids everything would pass the table above. */
const ALLOWED: Record<string, string> = {
  'shared/queues/account-queues.ts': `import 'bullmq';\nimport 'ioredis';\n`,
  'worker/run-queue.ts': `import 'bullmq';\nimport '../shared/providers/close/sends.ts';\n`,
  'worker/attach-accounts.ts': `import 'bullmq';\n`,
  'shared/redis/connect.ts': `import 'ioredis';\n`,
  'shared/stores/store.ts': `import '../redis/connect.ts';\n`,
  'api/serves.ts': `import 'express';\nimport '../shared/stores/store.ts';\nimport '../shared/domain/thing.ts';\n`,
  'sandbox/core/serves.ts': `import 'express';\n`,
  'shared/domain/thing.ts': `import 'zod';\n`,
  'shared/providers/close/sends.ts': `import 'undici';\nimport '../../domain/thing.ts';\n`,
  'test/unit/thing.test.ts': `import 'vitest';\nimport '../../api/serves.ts';\nimport '../../worker/run-queue.ts';\n`,
};

const Report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

let tree: string;
let broken: { from: string; rule: { name: string } }[];

async function plant(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
}

/** As `npm run check` runs it, over a tree of our making. */
async function cruise(): Promise<string> {
  const bin = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [bin, '--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json'];
  return new Promise((resolve) => {
    const options = { cwd: tree, maxBuffer: 64 * 1024 * 1024 };
    // Its exit code is the number of violations, which is no error here.
    execFile(
      process.execPath,
      [...args, 'api', 'worker', 'shared', 'sandbox', 'cli', 'console', 'test'],
      options,
      (_, out) => resolve(out),
    );
  });
}

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'dealwright-rules-'));
  await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  for (const name of ['tsconfig.json', 'package.json']) await symlink(join(ROOT, name), join(tree, name));
  for (const [, files] of BREACHES) await plant(files);
  await plant(ALLOWED);
  await plant({
    'worker/reads-env.ts': 'export const level = process.env.LOG_LEVEL;\n',
    'shared/domain/rolls.ts': 'export const roll = () => Math.random();\n',
    'shared/domain/looks-at-clock.ts': 'export const now = () => [Date.now(), new Date()];\n',
    'shared/domain/only-talks.ts':
      '// Date.now() and process.env\nexport const text = "Math.random()";\nexport const at = (ms: number) => new Date(ms);\n',
    'shared/config.ts': 'export const level = process.env.LOG_LEVEL;\n',
  });
  broken = Report.parse(JSON.parse(await cruise())).summary.violations;
});
afterAll(() => rm(tree, { recursive: true, force: true }));

describe('import rules', () => {
  const cases = BREACHES.map(([rule, files]) => [rule, Object.keys(files)[0]]);
  it.each(cases)('%s: %s is noticed', (rule, culprit) => {
    const found = broken.filter(({ from }) => from === culprit).map((violation) => violation.rule.name);
    expect(found).toContain(rule);
  });

  it('leaves the intended arrows alone', () => {
    expect(broken.filter(({ from }) => from in ALLOWED)).toEqual([]);
  });
});

describe('source rules', () => {
  it('finds the environment read outside the configuration, and time and chance in pure code', () => {
    const found = findSourceBreaches(tree).map(
      ({ file, line, rule, text }) => `${file}:${line} ${rule} ${text}`,
    );
    expect(found).toEqual([
      'shared/domain/looks-at-clock.ts:1 pure-takes-time-and-chance-as-arguments Date.now',
      'shared/domain/looks-at-clock.ts:1 pure-takes-time-and-chance-as-arguments new Date()',
      'shared/domain/rolls.ts:1 pure-takes-time-and-chance-as-arguments Math.random',
      'worker/reads-env.ts:1 environment-only-in-config process.env',
    ]);
  });
});
