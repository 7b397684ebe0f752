import { parseArgs } from 'node:util';
import { runChaos } from './run.ts';

/**
 * `npm run chaos [-- --seed N] [--creates N] [--kills N] [--quick] [--control] [--verbose]`: creates under SIGKILLs of
 * every process and faults of every provider; the last line of output is one JSON object. Exit code 1 unless each create
 * is exactly one record, or waits for a person where the design says so. `--control` runs a naive worker under the same
 * chaos and exits 1 unless that one shows duplicates.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    creates: { type: 'string' },
    kills: { type: 'string' },
    quick: { type: 'boolean', default: false },
    control: { type: 'boolean', default: false },
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
const creates = count('creates', values.creates, quick ? 300 : 3_000);
const kills = count('kills', values.kills, quick ? 6 : 18);
const lengthMs = quick ? 15_000 : 120_000;
const result = await runChaos({
  seed: count('seed', values.seed, 1),
  creates,
  kills,
  lengthMs,
  settleWithinMs: quick ? 45_000 : 90_000,
  naive: control,
  log: (line) => {
    if (values.verbose) console.error(line);
  },
});
const { findings, ...figures } = result;
for (const finding of findings) console.error(finding);
console.log(JSON.stringify({ ...figures, control }));
const isRight =
  result.duplicates === 0 &&
  result.lost === 0 &&
  result.non_terminal === 0 &&
  result.needs_review === result.needs_review_explained;
if (control && result.duplicates === 0)
  console.error('The naive worker made no duplicate: this proves nothing.');
process.exit((control ? result.duplicates > 0 : isRight) ? 0 : 1);
