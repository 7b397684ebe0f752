import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runCli } from '../support/cli.ts';
import { type RunningProcess, TEST_ADMIN_TOKEN } from '../support/processes.ts';
import { testRedisUrl } from '../support/redis.ts';
import { aName, type Rig, startRig, type Target } from './rig.ts';

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let rig: Rig;
let account: Target;
let worker: RunningProcess;
let folder: string;

beforeAll(async () => {
  rig = await startRig(testRedisUrl());
  [account, worker, folder] = await Promise.all([
    rig.account('close'),
    rig.workerForAll(),
    mkdtemp(join(tmpdir(), 'dealwright-import-')),
  ]);
});
afterAll(async () => {
  await worker.kill();
  await Promise.all([rig.close(), rm(folder, { recursive: true, force: true })]);
});

/** As a person types it, through npm. */
const importFile = (...args: string[]) =>
  runCli(args, {
    command: ['npm', 'run', '-s', 'import', '--'],
    env: { DEALWRIGHT_URL: rig.api.origin, DEALWRIGHT_TOKEN: TEST_ADMIN_TOKEN, HOME: folder },
  });

it('a spreadsheet goes in once: what is right is written, what is not comes back with its line and reason', async () => {
  const name = aName('Imported');
  const [file, results] = [join(folder, 'deals.csv'), join(folder, 'results.csv')];
  const rows = [
    `"${name} one",1250.50,k-1`,
    `"${name} two,\r\ntwice",7,k-2`,
    `"${name} three","1,250",k-3`,
    `"${name} one again",1,k-1`,
    `"${name} four",4,k-4,extra`,
  ];
  await writeFile(
    file,
    `\uFEFFDeal,amount,dedupe_key,account.id,owner.id\r\n${rows
      .map((row) => row.replace(/(k-\d)/, '$1,lead_Northwind,user_Ann'))
      .join('\r\n')}\r\n`,
  );
  const command = [file, '--account', account.id, '--mapping', '{"Deal":"name"}'];

  await using dry = importFile(...command, '--dry-run');
  expect(await dry.ended, dry.stderr()).toBe(1);
  expect(dry.stdout()).toContain('row 3 (line 5): /amount must be a plain number');
  expect(await rig.records(account, name)).toHaveLength(0);

  await using first = importFile(...command, '--results', results);
  expect(await first.ended, first.stderr()).toBe(1);
  expect(first.stdout()).toMatch(/completed: 5 rows, 2 succeeded, 1 duplicate, 2 failed\./);
  const [header, ...written] = parse(await readFile(results, 'utf8')) as string[][];
  expect(header).toEqual(
    'Deal,amount,dedupe_key,account.id,owner.id,row,line,status,remote_id,code,message,pointer'.split(','),
  );
  const facts = written.map(([deal, , , , , row, line, status, , code, , pointer]) => [
    deal?.replace(name, '').trim(),
    `${row}@${line}`,
    status,
    code,
    pointer,
  ]);
  expect(facts).toEqual([
    ['one', '1@2', 'succeeded', '', ''],
    ['two,\r\ntwice', '2@3', 'succeeded', '', ''],
    ['three', '3@5', 'failed', 'wrong_type', '/amount'],
    ['one again', '4@6', 'duplicate', expect.any(String), expect.any(String)],
    ['four', '5@7', 'failed', 'wrong_cell_count', ''],
  ]);
  expect(written[3]?.[8]).toBe(written[0]?.[8]);
  expect(await rig.records(account, name)).toHaveLength(2);

  await writeFile(file, (await readFile(file, 'utf8')).replace('"1,250"', '1250').replace(',extra', ''));
  await using second = importFile(...command);
  expect(await second.ended, second.stderr()).toBe(0);
  expect(second.stdout()).toMatch(/completed: 5 rows, 2 succeeded, 3 duplicate\./);
  expect(await rig.records(account, name)).toHaveLength(4);
});

it('a file that cannot be read is refused with the way out, and nothing is kept', async () => {
  const file = join(folder, 'utf16.csv');
  await writeFile(file, Buffer.from('\uFEFFname\r\nOne\r\n', 'utf16le'));
  await using run = importFile(file, '--account', account.id);
  expect(await run.ended).toBe(2);
  expect(run.stderr()).toContain('not UTF-8 but UTF-16');
  expect(run.stderr()).toContain('"CSV UTF-8"');
});
