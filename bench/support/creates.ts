import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { type LatencyFigures, latencyFigures } from './latency.ts';
import { ADMIN_TOKEN } from './processes.ts';
import { KEY_FIELD } from './salesforce.ts';
import type { BenchSandbox } from './sandbox.ts';

const APART_MS = { least: 80, more: 80 };

export type CreatesFigures = {
  /** From the request until the provider has it, by the provider's own log. */
  to_provider: LatencyFigures;
  /** From the request until the `201`. */
  answered: LatencyFigures;
};

/**
 * Sends single creates in turn from each account, one after the other, each waited for (`Prefer: wait`), as long as `goesOn` says.
 * @param options.label begins their names, by which they are found at the provider.
 */
export async function measureCreates<Name extends string>(options: {
  origin: string;
  sandbox: BenchSandbox;
  accounts: Record<Name, string>;
  label: string;
  goesOn: () => boolean;
}): Promise<Record<Name, CreatesFigures>> {
  const names = Object.keys(options.accounts) as Name[]; // Keys of a record of just these names.
  const found = new Map(names.map((name) => [name, { arrived: [] as number[], answered: [] as number[] }]));
  for (let i = 0; options.goesOn(); i++) {
    const name = names[i % names.length];
    const own = name && found.get(name);
    if (!name || !own) throw new Error('there is no account');
    const { arrivedMs, answeredMs } = await createOne(options, options.accounts[name], i);
    own.arrived.push(arrivedMs);
    own.answered.push(answeredMs);
    await sleep(APART_MS.least + Math.random() * APART_MS.more);
  }
  const figures = [...found].map(([name, { arrived, answered }]) => [
    name,
    { to_provider: latencyFigures(arrived, 0), answered: latencyFigures(answered, 0) },
  ]);
  return Object.fromEntries(figures);
}

type One = { origin: string; sandbox: BenchSandbox; label: string };

async function createOne({ origin, sandbox, label }: One, account: string, i: number) {
  const name = `Single ${label} ${i}.`;
  const since = await sandbox.lastNumber('salesforce');
  const sentMs = Date.now();
  const answer = await request(`${origin}/unified/crm/opportunities?integrated_account_id=${account}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      'content-type': 'application/json',
      prefer: 'wait=60',
    },
    body: JSON.stringify({ name, stage: { name: 'Prospecting' }, close_date: '2027-03-31' }),
  });
  const answeredMs = Date.now() - sentMs;
  const text = await answer.body.text();
  if (answer.statusCode !== 201) throw new Error(`a single create: ${answer.statusCode} ${text}`);
  // With the key in the path: the calls of batches have none.
  const path = `/sobjects/Opportunity/${KEY_FIELD}/`;
  const calls = await sandbox.calls({ provider: 'salesforce', method: 'PATCH', path, since });
  const call = calls.find(({ body }) => body?.includes(name));
  if (!call) throw new Error(`${name} is not among the provider's calls`);
  return { arrivedMs: call.startedAtMs - sentMs, answeredMs };
}
