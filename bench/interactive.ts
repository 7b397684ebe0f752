import { setTimeout as sleep } from 'node:timers/promises';
import { CLOSE_IDS, connectClose, openJobsOf } from './support/accounts.ts';
import type { Bench } from './support/figures.ts';
import { fillBulk } from './support/fill-bulk.ts';
import { type LatencyFigures, latencyFigures } from './support/latency.ts';
import type { BenchSandbox } from './support/sandbox.ts';
import { type BenchSystem, startSystem } from './support/system.ts';

const PREFIX = 'interactive';
/** On top of one interval of the account's pace. */
const MORE_MS = 100;
const CONCURRENCY = 8;
const APART_MS = { least: 400, more: 300 };
const ARRIVE_MS = 10_000;

/**
 * How long a create takes from the request to the provider when its own account has 50,000 jobs of bulk priority waiting, which
 * leave at the account's pace. Control: the same account's creates with nothing waiting.
 *
 * Target: always within one interval of the pace and 100 ms.
 */
export const interactive: Bench = async ({ quick }) => {
  const bulk = quick ? 2_000 : 50_000;
  const creates = quick ? 15 : 60;
  await using system = await startSystem({ prefix: PREFIX });
  const [sandbox] = system.sandboxes;
  if (!sandbox) throw new Error('there is no sandbox');
  await sandbox.control('POST', '/limits', {
    provider: 'close',
    ...{ ratelimit_header: 'absent', latency_ms: 30 },
  });
  const figures: Record<string, unknown> = {};
  const met: Record<string, boolean> = {};
  for (const [n, perSecond] of [10, 50].entries()) {
    const { alone, behindBulk, bulkLeft } = await measurePace(system, sandbox, {
      n,
      perSecond,
      bulk,
      creates,
    });
    const targetMs = 1_000 / perSecond + MORE_MS;
    figures[`${perSecond}_per_second`] = {
      alone,
      behind_bulk: behindBulk,
      bulk_left: bulkLeft,
      target_max_ms: targetMs,
    };
    met[`${perSecond}_per_second`] =
      behindBulk.max_ms <= targetMs && behindBulk.not_arrived === 0 && bulkLeft > 0;
  }
  return { bulk, ...figures, target: { max: 'one interval and 100 ms' }, met };
};

type Measurement = { n: number; perSecond: number; bulk: number; creates: number };

async function measurePace(system: BenchSystem, sandbox: BenchSandbox, of: Measurement) {
  const { client } = system;
  const account = await connectClose(client, {
    ...{ n: of.n, origin: sandbox.origin },
    settings: { rate_limit: { requests: of.perSecond, per_seconds: 1, concurrency: CONCURRENCY } },
  });
  const measure = (label: string) => measureNamed(system, sandbox, account.id, label, of.creates);
  await measure('warm');
  const alone = await measure('alone');
  await fillBulk({
    ...{ redisUrl: system.redis.url, prefix: PREFIX, account: account.id },
    ...{ count: of.bulk, ids: CLOSE_IDS },
  });
  await sleep(3_000);
  const behindBulk = await measure('behind');
  const bulkLeft = await openJobsOf(client, account.id);
  // Held, so that the next pace is measured by itself.
  await client.call('POST', `/integrated-accounts/${account.id}/pause`);
  return { alone, behindBulk, bulkLeft };
}

/** Sends single creates with a name each, and finds them in the provider's log by it. */
async function measureNamed(
  { client }: BenchSystem,
  sandbox: BenchSandbox,
  account: string,
  label: string,
  creates: number,
): Promise<LatencyFigures> {
  const latencies: number[] = [];
  let notArrived = 0;
  for (let i = 0; i < creates; i++) {
    const name = `Interactive ${label} ${i}.`;
    const since = await sandbox.lastNumber('close');
    const sentMs = Date.now();
    await client.call('POST', `/unified/crm/opportunities?integrated_account_id=${account}`, {
      name,
      account: { id: CLOSE_IDS.leads[0] },
      owner: { id: CLOSE_IDS.owner },
    });
    const arrivedMs = await arrivalOf(sandbox, name, since);
    if (arrivedMs === undefined) notArrived += 1;
    latencies.push((arrivedMs ?? Date.now()) - sentMs);
    await sleep(APART_MS.least + Math.random() * APART_MS.more);
  }
  return latencyFigures(latencies, notArrived);
}

/** When the provider received the create of this name; undefined when it does not come. */
async function arrivalOf(sandbox: BenchSandbox, name: string, since: number): Promise<number | undefined> {
  const untilMs = Date.now() + ARRIVE_MS;
  while (Date.now() < untilMs) {
    const calls = await sandbox.calls({ provider: 'close', method: 'POST', since });
    const found = calls.find((call) => call.body?.includes(name));
    if (found) return found.startedAtMs;
    await sleep(100);
  }
  return undefined;
}
