import { setTimeout as sleep } from 'node:timers/promises';
import { connectClose, openJobsOf, sendCreate } from './support/accounts.ts';
import { type Bench, round } from './support/figures.ts';
import { readRedisFigures } from './support/redis-figures.ts';
import type { BenchSandbox } from './support/sandbox.ts';
import { type BenchSystem, startSystem } from './support/system.ts';

const HOUR_SECONDS = 3_600;
/** More than no accounts at all need, in per cent of one core. */
const MORE_CPU_PERCENT_MAX = 5;
/** A queue without work is left after five seconds, and two sweeps go by. */
const SETTLE_MS = 15_000;

type IdleFigures = {
  worker_cpu_percent: number;
  redis_cpu_percent: number;
  redis_commands_per_second: number;
  redis_connections: number;
};

/**
 * What doing nothing costs: CPU of worker and Redis in per cent of one core, and Redis commands a second, with 1,000 connected
 * accounts that have written once, and with 100,000 jobs of one account parked for an hour by a limit. Control: the same
 * installation before there were any accounts.
 *
 * Target: at most 5 per cent of a core more than the control, worker and Redis each.
 */
export const idle: Bench = async ({ quick }) => {
  const accounts = quick ? 100 : 1_000;
  const parked = quick ? 3_000 : 100_000;
  const seconds = quick ? 8 : 40;
  await using system = await startSystem({ prefix: 'idle' });
  const [sandbox] = system.sandboxes;
  if (!sandbox) throw new Error('there is no sandbox');
  const limits = { provider: 'close', ratelimit_header: 'absent' };
  await sandbox.control('POST', '/limits', limits);
  const measure = async () => {
    await sleep(quick ? SETTLE_MS / 2 : SETTLE_MS);
    return idleFor(system, seconds);
  };

  const noAccounts = await measure();
  await connectIdle(system, sandbox, accounts);
  const connected = await measure();
  const waiting = await parkOne(system, sandbox, { n: accounts, count: parked });
  const withParked = await measure();
  const stillWaiting = await openJobsOf(system.client, waiting.id);

  const within = (figures: IdleFigures) =>
    (['worker_cpu_percent', 'redis_cpu_percent'] as const).every(
      (name) => figures[name] - noAccounts[name] <= MORE_CPU_PERCENT_MAX,
    );
  return {
    ...{ accounts, parked_jobs: stillWaiting, seconds },
    no_accounts: noAccounts,
    connected_idle: connected,
    parked: withParked,
    target: { more_cpu_percent_max: MORE_CPU_PERCENT_MAX },
    met: { connected_idle: within(connected), parked: within(withParked) && stillWaiting === parked },
  };
};

async function idleFor(system: BenchSystem, seconds: number): Promise<IdleFigures> {
  const { redis } = system;
  const [worker] = system.workers;
  if (!worker) throw new Error('there is no worker');
  const [before, workerMs, redisMs] = [await readRedisFigures(redis.url), worker.cpuMs(), redis.cpuMs()];
  const startedMs = performance.now();
  await sleep(seconds * 1_000);
  const tookMs = performance.now() - startedMs;
  const percent = (ms: number) => round((100 * ms) / tookMs, 2);
  const [workerUsedMs, redisUsedMs] = [worker.cpuMs() - workerMs, redis.cpuMs() - redisMs];
  const after = await readRedisFigures(redis.url);
  return {
    worker_cpu_percent: percent(workerUsedMs),
    redis_cpu_percent: percent(redisUsedMs),
    redis_commands_per_second: round(((after.commands - before.commands) * 1_000) / tookMs, 1),
    redis_connections: after.connections,
  };
}

/** Each has written once, so that its queue exists and has had a worker. */
async function connectIdle({ client }: BenchSystem, sandbox: BenchSandbox, count: number): Promise<void> {
  const ids: string[] = [];
  await client.many(count, 16, async (n) => {
    const { id } = await connectClose(client, { n, origin: sandbox.origin });
    await sendCreate(client, id, n);
    ids.push(id);
  });
  for (const id of ids) while ((await openJobsOf(client, id)) > 0) await sleep(50);
}

/** An account whose provider says at its first call: not before an hour. */
async function parkOne({ client }: BenchSystem, sandbox: BenchSandbox, of: { n: number; count: number }) {
  const account = await connectClose(client, { n: of.n, origin: sandbox.origin });
  await sandbox.control('POST', '/faults', {
    provider: 'close',
    ...{ kind: 'rate_limit', times: -1, retry_after_s: HOUR_SECONDS },
    match: { authorization: account.authorization },
  });
  // The limit is told by Retry-After, which is not one of the headers that are left out above.
  await sandbox.control('POST', '/limits', { provider: 'close', ratelimit_header: 'retry_after_only' });
  await client.many(of.count, 64, (i) => sendCreate(client, account.id, i));
  return account;
}
