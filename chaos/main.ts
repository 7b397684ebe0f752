import { parseArgs } from 'node:util';
import { runImportChaos } from './imports.ts';
import { runChaos } from './run.ts';
import { runTrouble } from './trouble.ts';
import type { Verdict } from './verdict.ts';

/**
 * `npm run chaos [-- --seed N] [--creates N] [--kills N] [--quick] [--control] [--trouble] [--imports] [--verbose]`: creates
 * under SIGKILLs of every process and faults of every provider; the last line of output is one JSON object. Exit code 1 unless each create
 * is exactly one record, or waits for a person where the design says so. `--control` runs a naive worker under the same
 * chaos and exits 1 unless that one shows duplicates. `--trouble`: long freezes and outages instead of kills.
 * `--imports`: imports instead of single creates, APIs killed while they are uploaded; `--rows N` of each large one.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    creates: { type: 'string' },
    rows: { type: 'string' },
    kills: { type: 'string' },
    quick: { type: 'boolean', default: false },
    control: { type: 'boolean', default: false },
    trouble: { type: 'boolean', default: false },
    imports: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

function count(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`--${name} must be a whole number, not ${text}`);
  process.exit(2);
}

const { quick, control } = values;
const seed = count('seed', values.seed, 1);
const log = (line: string) => {
  if (values.verbose) console.error(line);
};
if (values.trouble) {
  const { findings, ...figures } = await runTrouble({ seed, log });
  for (const finding of findings) console.error(finding);
  console.log(JSON.stringify(figures));
  process.exit(isRight({ findings, ...figures }) ? 0 : 1);
}
if (values.imports) {
  const { findings, ...figures } = await runImportChaos({
    seed,
    rows: count('rows', values.rows, quick ? 1_600 : 8_000),
    kills: count('kills', values.kills, quick ? 6 : 18),
    lengthMs: quick ? 30_000 : 75_000,
    settleWithinMs: 240_000,
    log,
  });
  for (const finding of findings) console.error(finding);
  console.log(JSON.stringify(figures));
  process.exit(findings.length === 0 ? 0 : 1);
}
const creates = count('creates', values.creates, quick ? 300 : 3_000);
const kills = count('kills', values.kills, quick ? 6 : 18);
const lengthMs = quick ? 15_000 : 120_000;
const result = await runChaos({
  seed,
  creates,
  kills,
  lengthMs,
  settleWithinMs: quick ? 45_000 : 90_000,
  naive: control,
  log,
});
const { findings, ...figures } = result;
for (const finding of findings) console.error(finding);
console.log(JSON.stringify({ ...figures, control }));
if (control && result.duplicates === 0)
  console.error('The naive worker made no duplicate: this proves nothing.');
process.exit((control ? result.duplicates > 0 : isRight(result)) ? 0 : 1);

function isRight(verdict: Verdict): boolean {
  const { duplicates, lost, non_terminal, needs_review, needs_review_explained } = verdict;
  return duplicates === 0 && lost === 0 && non_terminal === 0 && needs_review === needs_review_explained;
}
