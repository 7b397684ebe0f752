import { setTimeout as sleep } from 'node:timers/promises';
import { connectClose, sendCreate } from './support/accounts.ts';
import { type Bench, percentile, round } from './support/figures.ts';
import { residentMbOf, startBenchWorker } from './support/processes.ts';
import { readRedisFigures } from './support/redis-figures.ts';
import { type BenchSandbox, byCredential, type SandboxCall } from './support/sandbox.ts';
import { type BenchSystem, startSystem } from './support/system.ts';

const BUSY_SHARE = 0.01;
/** A queue is left five seconds after its last work. */
const LEFT_AFTER_MS = 10_000;
/** Longest time without a create while others join and leave, beyond what the class's pace makes. */
const GAP_MORE_MS_MAX = 1_000;

/** All have work all the time; what an account may do is set by its own limit. */
type ClassName = 'busy' | 'occasional';
type Paces = Record<ClassName, number>;
type Connected = { id: string; shown: string; class: ClassName };

/**
 * 1,000 accounts that have work at once, on one worker process: its memory, its connections to Redis, and how fast it writes what
 * all of them have, against the same number of creates of one account (the control). All were written to before, so that their live
 * values are known; that each has to be attached first is part of the time. Then each is held to its own pace, ten of
 * them at five a second, the others at one in 20 seconds, while a second worker process joins, and leaves on SIGTERM.
 *
 * Target: every job ends as written; no account waits more than a second longer than its pace makes it, in any phase; throughput
 * of 1,000 accounts at least 80 % of that of one.
 */
export const accounts: Bench = async ({ quick }) => {
  const count = quick ? 100 : 1_000;
  const phaseMs = quick ? 10_000 : 45_000;
  const paces: Paces = { busy: 5, occasional: quick ? 0.25 : 0.05 };
  await using system = await startSystem({ prefix: 'accounts' });
  const [sandbox] = system.sandboxes;
  const [worker] = system.workers;
  if (!sandbox || !worker) throw new Error('a sandbox and a worker are expected');
  const limits = { provider: 'close', ratelimit_header: 'absent', latency_ms: 5 };
  await sandbox.control('POST', '/limits', limits);
  const before = { memoryMb: residentMbOf(worker.pid), redis: await readRedisFigures(system.redis.url) };
  const connected = await connectAll(system, sandbox, count);

  const writes = quick ? 1_500 : 15_000;
  await warm(system, sandbox, connected);
  const one = await drainOne(system, sandbox, { n: count, writes });
  const many = await drainMany(system, sandbox, connected, writes);
  const attached = { memoryMb: residentMbOf(worker.pid), redis: await readRedisFigures(system.redis.url) };

  await setPaces(system, connected, paces);
  const since = await sandbox.lastNumber('close');
  const made = await fillAll(system, connected, paces, (3.5 * phaseMs) / 1_000);
  const marks = await joinAndLeave(system, phaseMs);
  await untilWritten(sandbox, since, made);
  const calls = await sandbox.calls({ provider: 'close', method: 'POST', since });
  const gaps = gapsOf(calls, connected, marks);
  const written = calls.filter((call) => call.status === 200).length;

  const ratio = round(many / one);
  const moreMs = ((1 / many - 1 / one) * 1_000 * writes) / count;
  return {
    accounts: count,
    throughput: {
      accounts_per_second: round(many, 0),
      one_account_per_second: round(one, 0),
      ratio,
      more_ms_per_account: round(moreMs, 1),
    },
    worker_memory_mb: { without_accounts: before.memoryMb, all_attached: attached.memoryMb },
    redis_connections: {
      without_accounts: before.redis.connections,
      all_attached: attached.redis.connections,
    },
    join_and_leave: { creates: made, written, longest_without_a_create_ms: gaps },
    target: { gap_beyond_pace_ms_max: GAP_MORE_MS_MAX, throughput_ratio_min: 0.8 },
    met: {
      all_written: written === made,
      gaps: Object.values(gaps).every((phase) =>
        (['busy', 'occasional'] as const).every(
          // No gap at all would mean that nothing was written.
          (name) => phase[name].count > 0 && phase[name].max <= 1_000 / paces[name] + GAP_MORE_MS_MAX,
        ),
      ),
      throughput: ratio >= 0.8,
    },
  };
};

async function connectAll(
  { client }: BenchSystem,
  sandbox: BenchSandbox,
  count: number,
): Promise<Connected[]> {
  const connected: Connected[] = [];
  const busy = Math.max(2, Math.round(count * BUSY_SHARE));
  await client.many(count, 16, async (n) => {
    const { id, shown } = await connectClose(client, {
      ...{ n, origin: sandbox.origin },
      settings: { rate_limit: { requests: 1_000_000, per_seconds: 1, concurrency: 8 } },
    });
    connected.push({ id, shown, class: n < busy ? 'busy' : 'occasional' });
  });
  return connected;
}

async function untilWritten(sandbox: BenchSandbox, since: number, count: number): Promise<void> {
  const untilMs = Date.now() + 120_000;
  for (;;) {
    const calls = await sandbox.calls({ provider: 'close', method: 'POST', since });
    if (calls.length >= count) return;
    if (Date.now() > untilMs) throw new Error(`${calls.length} of ${count} creates reached the provider`);
    await sleep(250);
  }
}

/** @returns creates a second from the first the provider received to the last. */
async function rateSince(sandbox: BenchSandbox, since: number, count: number): Promise<number> {
  await untilWritten(sandbox, since, count);
  const calls = await sandbox.calls({ provider: 'close', method: 'POST', since });
  const tookMs = (calls.at(-1)?.startedAtMs ?? 0) - (calls[0]?.startedAtMs ?? 0);
  return (count * 1_000) / Math.max(1, tookMs);
}

/** One create each: the first of an account reads its live values, half a dozen calls that none needs again for a day. */
async function warm({ client }: BenchSystem, sandbox: BenchSandbox, all: Connected[]): Promise<void> {
  const since = await sandbox.lastNumber('close');
  await client.many(all.length, 64, (i) => sendCreate(client, all[i]?.id ?? '', i));
  await untilWritten(sandbox, since, all.length);
  // Until they are left again.
  await sleep(LEFT_AFTER_MS);
}

async function drainOne(system: BenchSystem, sandbox: BenchSandbox, of: { n: number; writes: number }) {
  const { client } = system;
  const { id } = await connectClose(client, {
    ...{ n: of.n, origin: sandbox.origin },
    settings: { rate_limit: { requests: 1_000_000, per_seconds: 1, concurrency: 100 } },
  });
  await client.call('POST', `/integrated-accounts/${id}/pause`);
  await client.many(of.writes, 64, (i) => sendCreate(client, id, i));
  const since = await sandbox.lastNumber('close');
  await client.call('POST', `/integrated-accounts/${id}/resume`);
  return rateSince(sandbox, since, of.writes);
}

async function drainMany(system: BenchSystem, sandbox: BenchSandbox, all: Connected[], writes: number) {
  const { client } = system;
  await holdAll(system, all, 'pause');
  await client.many(writes, 64, (i) => sendCreate(client, all[i % all.length]?.id ?? '', i));
  const since = await sandbox.lastNumber('close');
  await holdAll(system, all, 'resume');
  return rateSince(sandbox, since, writes);
}

const holdAll = ({ client }: BenchSystem, all: Connected[], verb: 'pause' | 'resume') =>
  client.many(all.length, 64, (i) => client.call('POST', `/integrated-accounts/${all[i]?.id}/${verb}`));

const setPaces = ({ client }: BenchSystem, all: Connected[], paces: Paces) =>
  client.many(all.length, 16, (i) => {
    const account = all[i];
    const perSecond = paces[account?.class ?? 'busy'];
    const rate = perSecond >= 1 ? [perSecond, 1] : [1, 1 / perSecond];
    return client.call('PATCH', `/integrated-accounts/${account?.id}`, {
      settings: { rate_limit: { requests: rate[0], per_seconds: rate[1], concurrency: 8 } },
    });
  });

/** Every account has work for `seconds` of its pace. @returns how many creates that are. */
async function fillAll(
  { client }: BenchSystem,
  all: Connected[],
  paces: Paces,
  seconds: number,
): Promise<number> {
  const sends = all.flatMap((account) =>
    Array.from({ length: Math.ceil(paces[account.class] * seconds) }, () => account.id),
  );
  await client.many(sends.length, 64, (i) => sendCreate(client, sends[i] ?? '', i));
  return sends.length;
}

type Marks = { startMs: number; joinMs: number; leaveMs: number; endMs: number };

async function joinAndLeave(system: BenchSystem, phaseMs: number): Promise<Marks> {
  const startMs = Date.now();
  await sleep(phaseMs);
  const joinMs = Date.now();
  const second = await startBenchWorker(system.env);
  await sleep(phaseMs);
  const leaveMs = Date.now();
  await second[Symbol.asyncDispose]();
  await sleep(phaseMs);
  return { startMs, joinMs, leaveMs, endMs: Date.now() };
}

type Gaps = Record<ClassName, { count: number; p95: number; max: number }>;

/** Longest time between two creates of an account, by class and by the phase in which it ended. */
function gapsOf(calls: readonly SandboxCall[], all: Connected[], marks: Marks): Record<string, Gaps> {
  const own = byCredential(calls);
  const of = (name: ClassName, fromMs: number, toMs: number) => {
    const gaps = all
      .filter((account) => account.class === name)
      .flatMap(({ shown }) => {
        const times = (own.get(shown) ?? []).map((call) => call.startedAtMs);
        return times.slice(1).map((ms, i) => ({ endMs: ms, gapMs: ms - (times[i] ?? ms) }));
      })
      .filter(({ endMs }) => endMs > fromMs && endMs <= toMs)
      .map(({ gapMs }) => gapMs);
    return { count: gaps.length, p95: percentile(gaps, 95), max: Math.max(...gaps) };
  };
  const phase = (fromMs: number, toMs: number): Gaps => ({
    busy: of('busy', fromMs, toMs),
    occasional: of('occasional', fromMs, toMs),
  });
  return {
    one_worker: phase(marks.startMs, marks.joinMs),
    second_joined: phase(marks.joinMs, marks.leaveMs),
    second_left: phase(marks.leaveMs, marks.endMs),
  };
}
