import { setTimeout as sleep } from 'node:timers/promises';
import { chaosAccounts } from './accounts.ts';
import { crashAll } from './crash.ts';
import { armFaults, armImportFaults } from './faults.ts';
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
  /** Kills before the last import had ended. */
  kills_while_open: number;
  /** Uploads that had to be sent again. */
  repeated_uploads: number;
  answers: Record<string, number>;
  seconds: number;
} & ImportVerdict;

/** An upload whose API died is given up after this. */
const IDLE_MS = 4_000;

/** One run: uploads, kills and faults at once, then the comparison. */
export async function runImportChaos(options: ImportChaosOptions): Promise<ImportChaosResult> {
  const { seed, log } = options;
  const beganMs = Date.now();
  await using system = await startSystem(false, { IMPORT_IDLE_MS: String(IDLE_MS) });
  const plan = planImports({ ...options, accounts: chaosAccounts(system.sandbox) });
  await connectAccounts(system, plan.accounts, importSettingsOf);
  await armFaults(system.sandbox, plan.accounts, seed, false);
  await armImportFaults(system.sandbox, seed);

  const startMs = Date.now();
  const answers: Record<string, number> = {};
  const count = (what: string) => {
    answers[what] = (answers[what] ?? 0) + 1;
  };
  const untilMs = startMs + plan.lengthMs + options.settleWithinMs;
  let lastEndedMs = 0;
  const followed = plan.imports.map(async (planned) => {
    await sleep(planned.startMs);
    const uploaded = await upload(planned, system.origin, count, untilMs);
    const { id, refused } = uploaded;
    log(`${Date.now() - startMs} ms: ${planned.key} is ${id ?? refused}`);
    const told = id === undefined ? undefined : await readEnded(id, system.origin, untilMs);
    lastEndedMs = Date.now() - startMs;
    log(`${lastEndedMs} ms: ${planned.key}: ${told?.status} ${JSON.stringify(told?.counts)}`);
    return uploaded;
  });
  const [uploads, kills] = await Promise.all([Promise.all(followed), crashAll(plan.kills, system, log)]);
  // Only now: while an import is open, the duplicates of its rows in another one have no record to name.
  const told = await Promise.all(
    uploads.map(async (uploaded) => ({
      uploaded,
      told: uploaded.id === undefined ? undefined : await readEnded(uploaded.id, system.origin, untilMs),
    })),
  );
  // A late commit must have had its time before the records are counted.
  await sleep(1_000);
  const records = await readTagged(system.sandbox, new RegExp(`Import (s${seed}i\\d+r\\d+x)`));
  return {
    ...{ seed, kills, answers },
    kills_while_open: plan.kills.filter(({ atMs }) => atMs < lastEndedMs).length,
    repeated_uploads: uploads.filter(({ tries }) => tries > 1).length,
    seconds: Math.round((Date.now() - beganMs) / 1_000),
    ...judgeImports(told, records),
  };
}
