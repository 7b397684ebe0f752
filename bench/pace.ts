import { setTimeout as sleep } from 'node:timers/promises';
import type { PaceFloorResult, PaceFloorTask } from './floors/pace-floor.ts';
import { CLOSE_IDS, closeCredential, connectClose, openJobsOf, sendCreate } from './support/accounts.ts';
import type { Bench } from './support/figures.ts';
import { forkTask } from './support/fork-task.ts';
import { type PacedFigures, pacedFigures } from './support/paced.ts';
import type { BenchSandbox } from './support/sandbox.ts';
import { type BenchSystem, startSystem } from './support/system.ts';

const CONCURRENCY = 32;
/** How long a provider takes to answer. */
const LATENCY_MS = 30;
const LATENCY_JITTER_MS = 20;
/** Part of the allowed rate used after the first second. */
const USED_PERCENT_MIN = 98;

const OURS = ['known', 'known_and_headers', 'unknown', 'unknown_and_headers'] as const;
const CONTROLS = ['p_queue', 'p_queue_strict'] as const;
type Way = (typeof OURS)[number] | (typeof CONTROLS)[number];

/** One limit: a provider that says nothing about it, and one that does on every answer. */
type Limited = { perSecond: number; count: number; silent: BenchSandbox; telling: BenchSandbox };
type Run = { system: BenchSystem; unknownMs: number };

/**
 * 2,000 creates at a provider that allows 10, 50 or 200 calls in any second, and refuses the next: with the limit in
 * `settings.rate_limit` (`known`), without it (`unknown`: cut off after a while, since the pace may stay below), each where the
 * provider says nothing and where it sends headers. Control: the same work by `p-queue` with a retry, with its fixed and its
 * strict interval.
 *
 * Target: with a known limit at least 98 % of the allowed rate after the first second, and no 429 at all. With an unknown one the
 * figures say how many 429s it takes to learn, whether they end, and what rate it comes to.
 */
export const pace: Bench = async ({ quick }) => {
  const limits = [10, 50, 200];
  await using system = await startSystem({ prefix: 'pace', sandboxes: 2 * limits.length });
  const limited: Limited[] = [];
  for (const [i, perSecond] of limits.entries()) {
    const [silent, telling] = system.sandboxes.slice(2 * i);
    if (!silent || !telling) throw new Error('too few sandboxes');
    await limit(silent, perSecond, 'absent');
    await limit(telling, perSecond, 'semicolon');
    limited.push({ perSecond, count: quick ? perSecond * 8 : 2_000, silent, telling });
  }
  const run: Run = { system, unknownMs: quick ? 12_000 : 60_000 };
  const [slow, middle, fast] = limited;
  if (!slow || !middle || !fast) throw new Error('three limits are expected');
  // Slow ones last for minutes and need little of the machine; what needs much of it goes one after the other, since a
  // machine that is busy is late.
  const [of10, of50] = await Promise.all([sideBySide(run, slow), inTurn(run, middle)]);
  const of200 = await inTurn(run, fast);
  const byLimit = { '10_per_second': of10, '50_per_second': of50, '200_per_second': of200 };
  const known = [of10, of50, of200].flatMap((figures) => [figures.known, figures.known_and_headers]);
  return {
    creates: Object.fromEntries(limited.map(({ perSecond, count }) => [`${perSecond}_per_second`, count])),
    ...byLimit,
    target: { known_allowed_used_percent_min: USED_PERCENT_MIN, known_refused_max: 0 },
    met: {
      known_allowed_used_percent: known.every((f) => f.allowed_used_percent >= USED_PERCENT_MIN),
      known_refused: known.every((f) => f.refused === 0),
    },
  };
};

type ByWay = Record<Way, PacedFigures>;

async function sideBySide(run: Run, of: Limited): Promise<ByWay> {
  const ways: Way[] = [...OURS, ...CONTROLS];
  return byWay(await Promise.all(ways.map(async (way) => [way, await runWay(run, of, way)] as const)));
}

async function inTurn(run: Run, of: Limited): Promise<ByWay> {
  const done: [Way, PacedFigures][] = [];
  for (const way of ['known', 'known_and_headers', ...CONTROLS] as const)
    done.push([way, await runWay(run, of, way)]);
  const unknown = ['unknown', 'unknown_and_headers'] as const;
  const pending = unknown.map(async (way): Promise<[Way, PacedFigures]> => [way, await runWay(run, of, way)]);
  done.push(...(await Promise.all(pending)));
  return byWay(done);
}

// Every way was run, and each gives its figures.
const byWay = (done: (readonly [Way, PacedFigures])[]) => Object.fromEntries(done) as ByWay;

function limit(sandbox: BenchSandbox, perSecond: number, header: 'absent' | 'semicolon'): Promise<unknown> {
  return sandbox.control('POST', '/limits', {
    provider: 'close',
    ...{ requests: perSecond, per_seconds: 1, ratelimit_header: header },
    ...{ latency_ms: LATENCY_MS, latency_jitter_ms: LATENCY_JITTER_MS },
  });
}

async function runWay(run: Run, of: Limited, way: Way): Promise<PacedFigures> {
  const sandbox = way.endsWith('_and_headers') ? of.telling : of.silent;
  const n = [...OURS, ...CONTROLS].indexOf(way);
  const { shown, authorization } = closeCredential(n);
  const isControl = way === 'p_queue' || way === 'p_queue_strict';
  if (isControl) await runControl(of, sandbox, authorization, way === 'p_queue_strict');
  else await runOurs(run, of, sandbox, n, way.startsWith('known'));
  const calls = await sandbox.calls({ provider: 'close' });
  const own = calls.filter((call) => call.authorization === shown);
  return pacedFigures(own, of.perSecond);
}

async function runOurs(
  { system, unknownMs }: Run,
  of: Limited,
  sandbox: BenchSandbox,
  n: number,
  known: boolean,
) {
  const { client } = system;
  const rate = known ? { requests: of.perSecond, per_seconds: 1 } : {};
  const { id } = await connectClose(client, {
    ...{ n, origin: sandbox.origin },
    settings: { rate_limit: { ...rate, concurrency: CONCURRENCY } },
  });
  // Held until all are in, so that what is measured is the pace and not the filling.
  await client.call('POST', `/integrated-accounts/${id}/pause`);
  await client.many(of.count, 16, (i) => sendCreate(client, id, i));
  await client.call('POST', `/integrated-accounts/${id}/resume`);
  const untilMs = Date.now() + (known ? 600_000 : unknownMs);
  while (Date.now() < untilMs && (await openJobsOf(client, id)) > 0) await sleep(250);
  // What an unknown limit left undone must not disturb the others.
  await client.call('POST', `/integrated-accounts/${id}/pause`);
}

async function runControl(of: Limited, sandbox: BenchSandbox, authorization: string, strict: boolean) {
  const task: PaceFloorTask = {
    url: `${sandbox.origin}/close/api/v1/opportunity/`,
    body: { lead_id: CLOSE_IDS.leads[0], user_id: CLOSE_IDS.owner, note: 'Renewal', value: 125_050 },
    ...{ authorization, strict, count: of.count, requests: of.perSecond, perMs: 1_000 },
    concurrency: CONCURRENCY,
  };
  await forkTask<PaceFloorResult>('floors/pace-floor.ts', task);
}
