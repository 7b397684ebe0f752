import { cpus } from 'node:os';
import { accept } from './accept.ts';
import { accounts } from './accounts.ts';
import { drain } from './drain.ts';
import { fairness } from './fairness.ts';
import { hourLimit } from './hour-limit.ts';
import { idle } from './idle.ts';
import { importRows } from './import.ts';
import { intake } from './intake.ts';
import { interactive } from './interactive.ts';
import { pace } from './pace.ts';
import type { Bench, Figures } from './support/figures.ts';
import { webhooks } from './webhooks.ts';
import { webhooksChaos } from './webhooks-chaos.ts';

const BENCHES: Record<string, Bench> = {
  accept,
  drain,
  webhooks,
  pace,
  'hour-limit': hourLimit,
  fairness,
  interactive,
  idle,
  accounts,
  intake,
  import: importRows,
  'webhooks-chaos': webhooksChaos,
};
/** Takes minutes: run when it is named. */
const ONLY_NAMED = [
  ...['webhooks-chaos', 'pace', 'hour-limit', 'fairness', 'interactive', 'idle', 'accounts'],
  ...['intake', 'import'],
];

/** `npm run bench [-- --quick] [-- NAME …]`: each benchmark against its floor in the same run; the last line is JSON. */
const words = process.argv.slice(2);
const quick = words.includes('--quick');
const wanted = words.filter((word) => !word.startsWith('--'));
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Known: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
const figures: Record<string, Figures> = {};
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 ? !wanted.includes(name) : ONLY_NAMED.includes(name)) continue;
  console.log(`${name} …`);
  figures[name] = await bench({ quick });
  console.log(JSON.stringify(figures[name], null, 2));
}
const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model };
console.log(JSON.stringify({ quick, machine, ...figures }));
