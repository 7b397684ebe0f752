import { floodOurs, hangOurs, type Others, othersOfOurs } from './support/fairness-ours.ts';
import { startShared } from './support/fairness-shared.ts';
import { type Bench, round } from './support/figures.ts';
import { type LatencyFigures, measureLatency, type Sender } from './support/latency.ts';
import type { BenchSandbox } from './support/sandbox.ts';
import { startSystem } from './support/system.ts';

/** All others together. */
const PER_SECOND = 20;
const P95_FACTOR_MAX = 2;
const MAX_MS = 250;

/**
 * How long an account's create takes from the request to the provider, when 200 accounts send one now and then: alone, while
 * another account has 100,000 creates waiting (and a hundred a second leave), and while a provider hangs for every call of 30
 * accounts, each with all the calls under way that it may have. Control: the same with one BullMQ queue for all.
 *
 * Target, in both cases: p95 at most twice that without, and never more than 250 ms.
 */
export const fairness: Bench = async ({ quick }) => {
  const flood = quick ? 5_000 : 100_000;
  const seconds = quick ? 10 : 40;
  await using system = await startSystem({ prefix: 'fairness', sandboxes: 2 });
  const [sandbox, hanging] = system.sandboxes;
  if (!sandbox || !hanging) throw new Error('two sandboxes are expected');
  for (const each of [sandbox, hanging])
    await each.control('POST', '/limits', { provider: 'close', ratelimit_header: 'absent', latency_ms: 30 });
  await hanging.control('POST', '/faults', {
    provider: 'close',
    ...{ kind: 'hang_before_commit', times: -1, delay_ms: 30_000, match: { method: 'POST' } },
  });
  const measure = (senders: readonly Sender[]) =>
    measureLatency({ sandbox, senders, count: seconds * PER_SECOND, everyMs: 1_000 / PER_SECOND });

  const ours = await measureOurs({ system, sandbox, hanging, flood, measure });
  // What still hangs must not disturb the control.
  await Promise.all(system.workers.map((worker) => worker[Symbol.asyncDispose]()));
  const shared = await measureShared({ redisUrl: system.redis.url, sandbox, hanging, flood, measure });
  const { alone } = ours;
  const within = (figures: LatencyFigures) => ({
    p95: figures.p95_ms <= P95_FACTOR_MAX * alone.p95_ms,
    max: figures.max_ms <= MAX_MS && figures.not_arrived === 0,
  });
  return {
    ...{ others: ours.others, per_second: PER_SECOND, flood_creates: flood, seconds },
    ours: { alone, beside_flood: ours.besideFlood, beside_hanging: ours.besideHanging, ...ours.facts },
    one_shared_queue: shared,
    p95_factor: {
      flood: round(ours.besideFlood.p95_ms / alone.p95_ms),
      hanging: round(ours.besideHanging.p95_ms / alone.p95_ms),
    },
    target: { p95_factor_max: P95_FACTOR_MAX, max_ms: MAX_MS },
    met: { flood: within(ours.besideFlood), hanging: within(ours.besideHanging) },
  };
};

type Measure = (senders: readonly Sender[]) => Promise<LatencyFigures>;
type Scene = { sandbox: BenchSandbox; hanging: BenchSandbox; flood: number; measure: Measure };

async function measureOurs(scene: Scene & { system: Others['system'] }) {
  const { system, sandbox, hanging, measure } = scene;
  const others = await othersOfOurs({ system, sandbox });
  // What is compiled, connected and read from the provider on first use is not what is measured.
  await measureLatency({ sandbox, senders: others.senders, count: others.senders.length, everyMs: 25 });
  const alone = await measure(others.senders);
  const flooding = await floodOurs({ system, sandbox }, scene.flood);
  const besideFlood = await measure(others.senders);
  const floodLeft = await flooding.end();
  const hung = await hangOurs({ system, sandbox: hanging });
  const besideHanging = await measure(others.senders);
  return {
    others: others.senders.length,
    ...{ alone, besideFlood, besideHanging },
    facts: {
      flood_accept_per_second: round(flooding.acceptedPerSecond, 0),
      flood_left: floodLeft,
      hanging_calls: await hung.callsUnderWay(),
    },
  };
}

async function measureShared(scene: Scene & { redisUrl: string }) {
  await using shared = await startShared(scene.redisUrl);
  const others = shared.others(scene.sandbox);
  await measureLatency({ sandbox: scene.sandbox, senders: others, count: others.length, everyMs: 25 });
  const alone = await scene.measure(others);
  await shared.flood(scene.sandbox, scene.flood);
  const besideFlood = await scene.measure(others);
  await shared.empty();
  await shared.hang(scene.hanging);
  return { alone, beside_flood: besideFlood, beside_hanging: await scene.measure(others) };
}
