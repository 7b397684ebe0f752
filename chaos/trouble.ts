import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chaosAccounts } from './accounts.ts';
import { submit, waitForJobs } from './client.ts';
import { makePlan } from './plan.ts';
import { connectAccounts, type System, startSystem } from './system.ts';
import { judge, readRecords, type Verdict } from './verdict.ts';

/** As in production: nothing is hurried here. */
const UNHURRIED = {
  ENGINE_LOCK_MS: '30000',
  ENGINE_STALLED_MS: '15000',
  SWEEP_MS: '5000',
  ORPHAN_MS: '15000',
  LOG_LEVEL: 'info',
};
const QUIET_MS = 10_000;
const CREATES_PER_SECOND = 8;
const LATENCY_MS = 500;

type Trouble = { name: string; lengthMs: number; happen: (system: System) => Promise<void> };

const TROUBLES: Trouble[] = [
  { name: 'quiet', lengthMs: QUIET_MS, happen: () => sleep(QUIET_MS) },
  {
    name: 'a worker of two is frozen for 60 s',
    lengthMs: 60_000,
    happen: (system) => system.freeze('worker', 60_000),
  },
  { name: 'after it', lengthMs: QUIET_MS, happen: () => sleep(QUIET_MS) },
  {
    name: 'Redis is away for 30 s, and restarts from its files',
    lengthMs: 30_000,
    happen: (system) => system.crash('redis', 0, 30_000),
  },
  { name: 'after it', lengthMs: QUIET_MS, happen: () => sleep(QUIET_MS) },
  {
    name: 'Redis is killed and restarted at once',
    lengthMs: 0,
    happen: (system) => system.crash('redis', 0, 0),
  },
  { name: 'after it', lengthMs: QUIET_MS, happen: () => sleep(QUIET_MS) },
  { name: 'Redis is frozen for 30 s', lengthMs: 30_000, happen: (system) => system.freeze('redis', 30_000) },
  { name: 'after it', lengthMs: QUIET_MS, happen: () => sleep(QUIET_MS) },
];

type Row = {
  trouble: string;
  answers: Record<string, number>;
  /** Slowest answer that began in this time, in ms. */
  slowest_ms: number;
  attempts: number;
  writes_refused_by_redis: number;
};
export type TroubleResult = {
  seconds: number;
  troubles: Row[];
  /** Engines that stood still although there was work, and closings that did not end: replaced. */
  engines_replaced: number;
} & Verdict;

/**
 * Long trouble at its real length, under an even load over all accounts and without faults of the providers: what the
 * API answered meanwhile, what the workers did, and the comparison at the end.
 */
export async function runTrouble(options: {
  seed: number;
  log: (line: string) => void;
}): Promise<TroubleResult> {
  const beganMs = Date.now();
  await using system = await startSystem(false, UNHURRIED);
  const accounts = chaosAccounts(system.sandbox);
  await connectAccounts(system, accounts);
  for (const provider of ['salesforce', 'close', 'capsule']) await slowDown(system.sandbox, provider);
  const lengthMs = TROUBLES.reduce((sum, trouble) => sum + trouble.lengthMs, 0);
  const creates = Math.round((lengthMs / 1_000) * CREATES_PER_SECOND);
  const plan = makePlan({ seed: options.seed, creates, kills: 0, lengthMs, accounts });
  const troubles: Row[] = [];
  let current: Row | undefined;
  const startMs = Date.now();
  const clients = plan.creates.map(async (create) => {
    await sleep(Math.max(0, create.atMs - (Date.now() - startMs)));
    const onAnswer = (what: string, tookMs: number) => {
      if (!current) return;
      current.answers[what] = (current.answers[what] ?? 0) + 1;
      current.slowest_ms = Math.max(current.slowest_ms, tookMs);
    };
    return submit(create, system.origin, onAnswer, startMs + lengthMs + 60_000);
  });
  for (const { name, happen } of TROUBLES) {
    const before = {
      attempts: system.logged('attempt.finished'),
      refused: system.logged('record.write_refused'),
    };
    const row: Row = { trouble: name, answers: {}, slowest_ms: 0, attempts: 0, writes_refused_by_redis: 0 };
    current = row;
    troubles.push(row);
    await happen(system);
    row.attempts = system.logged('attempt.finished') - before.attempts;
    row.writes_refused_by_redis = system.logged('record.write_refused') - before.refused;
    options.log(`${Date.now() - startMs} ms: ${JSON.stringify(row)}`);
  }
  const submitted = await Promise.all(clients);
  const ids = submitted.flatMap(({ jobId }) => jobId ?? []);
  const jobs = await waitForJobs(ids, system.origin, 150_000);
  const verdict = judge(submitted, jobs, await readRecords(system.sandbox, plan.seed));
  if (verdict.non_terminal > 0) {
    const file = join(await mkdtemp(join(tmpdir(), 'dealwright-trouble-')), 'workers.log');
    await writeFile(file, system.logs());
    verdict.findings.push(`what the workers wrote: ${file}`);
  }
  const engines_replaced = system.logged('queue.stuck');
  return { seconds: Math.round((Date.now() - beganMs) / 1_000), troubles, engines_replaced, ...verdict };
}

/** Calls take so long that some are always under way when trouble begins. */
async function slowDown(sandbox: string, provider: string): Promise<void> {
  const answer = await fetch(`${sandbox}/_control/limits`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider, latency_ms: LATENCY_MS }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
