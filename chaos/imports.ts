import { setTimeout as sleep } from 'node:timers/promises';
import { chaosAccounts } from './accounts.ts';
import { crashAll } from './crash.ts';
import { armFaults, control } from './faults.ts';
import { readEnded, upload } from './import-client.ts';
import { importSettingsOf, planImports } from './import-plan.ts';
import { type ImportVerdict, judgeImports } from './import-verdict.ts';
import { connectAccounts, startSystem } from './system.ts';
import { readTagged } from './verdict.ts';

export type ImportChaosOptions = {
  seed: number;
  /** Of each of the two large imports. */
  rows: number;
  kills: number;
  lengthMs: number;
  settleWithinMs: number;
  log: (line: string) => void;
};

export type ImportChaosResult = {
  seed: number;
  kills: Record<string, number>;
  /** Uploads that had to be sent again. */
  repeated_uploads: number;
  answers: Record<string, number>;
  seconds: number;
} & ImportVerdict;

/** An upload whose API died is given up after this. */
const IDLE_MS = 4_000;
const LATENCY_MS = 200;
/** Rows that meet a lock, whatever call they are in. */
const LOCKED_ROWS = 0.01;

/** One run: uploads, kills and faults at once, then the comparison. */
export async function runImportChaos(options: ImportChaosOptions): Promise<ImportChaosResult> {
  const { seed, log } = options;
  const beganMs = Date.now();
  await using system = await startSystem(false, { IMPORT_IDLE_MS: String(IDLE_MS) });
  const plan = planImports({ ...options, accounts: chaosAccounts(system.sandbox) });
  await connectAccounts(system, plan.accounts, importSettingsOf);
  await armFaults(system.sandbox, plan.accounts, seed, false);
  const match = { method: 'PATCH', path: '/sobjects/Opportunity/' };
  const locks = { provider: 'salesforce', kind: 'lock_row', row_rate: LOCKED_ROWS, times: -1, seed, match };
  await control(system.sandbox, 'faults', locks);
  await control(system.sandbox, 'limits', { provider: 'salesforce', latency_ms: LATENCY_MS });

  const startMs = Date.now();
  const answers: Record<string, number> = {};
  const count = (what: string) => {
    answers[what] = (answers[what] ?? 0) + 1;
  };
  const uploads = plan.imports.map(async (planned) => {
    await sleep(planned.startMs);
    const uploaded = await upload(planned, system.origin, count, startMs + plan.lengthMs + 60_000);
    log(`${Date.now() - startMs} ms: ${planned.key} is ${uploaded.id ?? uploaded.refused}`);
    return uploaded;
  });
  const [uploaded, kills] = await Promise.all([Promise.all(uploads), crashAll(plan.kills, system, log)]);
  const untilMs = Date.now() + options.settleWithinMs;
  const told = await Promise.all(
    uploaded.map(async (one) => ({
      uploaded: one,
      told: one.id === undefined ? undefined : await readEnded(one.id, system.origin, untilMs),
    })),
  );
  // A late commit must have had its time before the records are counted.
  await sleep(1_000);
  const records = await readTagged(system.sandbox, new RegExp(`Import (s${seed}i\\d+r\\d+x)`));
  return {
    ...{ seed, kills, answers },
    repeated_uploads: uploaded.filter(({ tries }) => tries > 1).length,
    seconds: Math.round((Date.now() - beganMs) / 1_000),
    ...judgeImports(told, records),
  };
}
