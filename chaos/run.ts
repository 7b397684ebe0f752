import { setTimeout as sleep } from 'node:timers/promises';
import { chaosAccounts } from './accounts.ts';
import { type Answers, type Submitted, submit, waitForJobs } from './client.ts';
import { crashAll } from './crash.ts';
import { armFaults } from './faults.ts';
import { makePlan, type Plan } from './plan.ts';
import { connectAccounts, type System, startSystem } from './system.ts';
import { judge, readRecords, type Verdict } from './verdict.ts';

export type ChaosOptions = {
  seed: number;
  creates: number;
  kills: number;
  lengthMs: number;
  /** After the last create: how long jobs may take to come to an end. */
  settleWithinMs: number;
  naive: boolean;
  log: (line: string) => void;
};

export type ChaosResult = { seed: number; kills: Record<string, number>; seconds: number } & Verdict & {
    answers: Answers;
  };

/** One run: load, kills and faults at once, then the comparison. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { log } = options;
  const beganMs = Date.now();
  await using system = await startSystem(options.naive);
  const accounts = chaosAccounts(system.sandbox);
  if (!options.naive) await connectAccounts(system, accounts);
  await armFaults(system.sandbox, accounts, options.seed, options.naive);
  const plan = makePlan({ ...options, accounts });
  log(
    `seed ${plan.seed}: ${plan.creates.length} creates and ${plan.kills.length} kills over ${plan.lengthMs} ms`,
  );

  const answers: Answers = {};
  const [submitted, kills] = await Promise.all([
    load(plan, system, answers),
    crashAll(plan.kills, system, log),
  ]);
  log(`all answered after ${Date.now() - beganMs} ms: ${JSON.stringify(answers)}`);
  const ids = submitted.flatMap(({ jobId }) => jobId ?? []);
  const jobs = await waitForJobs(ids, system.origin, options.settleWithinMs);
  // A late commit must have had its time before the records are counted.
  await sleep(1_000);
  const verdict = judge(submitted, jobs, await readRecords(system.sandbox, plan.seed));
  const seconds = Math.round((Date.now() - beganMs) / 1_000);
  return { seed: plan.seed, kills, seconds, ...verdict, answers };
}

async function load(plan: Plan, system: System, answers: Answers): Promise<Submitted[]> {
  const startMs = Date.now();
  const untilMs = startMs + plan.lengthMs + 30_000;
  return Promise.all(
    plan.creates.map(async (create) => {
      await sleep(Math.max(0, create.atMs - (Date.now() - startMs)));
      const count = (what: string) => {
        answers[what] = (answers[what] ?? 0) + 1;
      };
      return submit(create, system.origin, count, untilMs);
    }),
  );
}
