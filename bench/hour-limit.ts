import { setTimeout as sleep } from 'node:timers/promises';
import type { PaceFloorResult, PaceFloorTask } from './floors/pace-floor.ts';
import { openJobsOf } from './support/accounts.ts';
import { type Bench, round } from './support/figures.ts';
import { forkTask } from './support/fork-task.ts';
import type { BenchSandbox, SandboxCall } from './support/sandbox.ts';
import { type BenchSystem, startSystem } from './support/system.ts';

const WINDOWS = 3;
/** Capsule's own pace within its hour, for both. */
const PER_SECOND = 10;
const CONCURRENCY = 8;
/** The reset is told in whole seconds, and the clock beside it too: so late may the first call be. */
const RESUME_MS_MAX = 3_000;

type Hour = { requests: number; perMs: number };

/**
 * Capsule's limit of 4,000 calls an hour scaled in time: the window begins with a call, is told by `remaining` and the moment of
 * its reset, and all it allows is spent in its first part. Control: `p-queue` at the same ten a second, with a retry.
 *
 * Target: no call between the last one allowed and the reset, and the first one after it within three seconds.
 */
export const hourLimit: Bench = async ({ quick }) => {
  const hour: Hour = quick ? { requests: 40, perMs: 10_000 } : { requests: 150, perMs: 40_000 };
  const count = hour.requests * WINDOWS - Math.floor(hour.requests / 2);
  await using system = await startSystem({ prefix: 'hour' });
  const [sandbox] = system.sandboxes;
  if (!sandbox) throw new Error('there is no sandbox');
  await sandbox.control('POST', '/limits', {
    provider: 'capsule',
    ...{ requests: hour.requests, per_ms: hour.perMs, window: 'fixed', latency_ms: 30 },
  });
  await Promise.all([writeOurs(system, sandbox, count), writeByQueue(sandbox, count)]);
  const calls = await sandbox.calls({ provider: 'capsule' });
  const of = (suffix: string) =>
    hourFigures(
      calls.filter((call) => call.authorization.endsWith(suffix)),
      hour,
    );
  const ours = of(OURS);
  return {
    ...{ creates: count, window_requests: hour.requests, window_seconds: hour.perMs / 1_000 },
    ours,
    p_queue: of(QUEUE),
    target: { calls_in_forbidden_time_max: 0, resume_ms_max: RESUME_MS_MAX },
    met: {
      calls_in_forbidden_time: ours.calls_in_forbidden_time === 0 && ours.written === count,
      resume_ms: ours.resumed_after_ms.length > 0 && Math.max(...ours.resumed_after_ms) <= RESUME_MS_MAX,
    },
  };
};

/** The ends of the two tokens: the call log shows four characters. */
const OURS = 'ours';
const QUEUE = 'pqpq';
const tokenOf = (suffix: string) => `demo-capsule-token-${suffix}`;

/** By the provider's log: what was called while the window was used up, and how late after each reset the next call was. */
function hourFigures(calls: readonly SandboxCall[], { requests, perMs }: Hour) {
  const resumedAfterMs: number[] = [];
  let forbidden = 0;
  let used = 0;
  let endMs = 0;
  for (const { startedAtMs } of calls) {
    if (startedAtMs >= endMs) {
      if (used >= requests) resumedAfterMs.push(startedAtMs - endMs);
      used = 1;
      endMs = startedAtMs + perMs;
    } else if (used < requests) used += 1;
    else forbidden += 1;
  }
  const [first, last] = [calls[0], calls.at(-1)];
  return {
    written: calls.filter((call) => call.method === 'POST' && call.status === 201).length,
    calls_in_forbidden_time: forbidden,
    refused: calls.filter((call) => call.status === 429).length,
    resumed_after_ms: resumedAfterMs,
    seconds: round(((last?.startedAtMs ?? 0) - (first?.startedAtMs ?? 0)) / 1_000, 1),
  };
}

async function writeOurs({ client }: BenchSystem, sandbox: BenchSandbox, count: number): Promise<void> {
  const { id } = await client.call<{ id: string }>('POST', '/integrated-accounts', {
    provider: 'capsule',
    name: 'hour',
    credentials: {
      type: 'personal_access_token',
      token: tokenOf(OURS),
      base_url: `${sandbox.origin}/capsule`,
    },
    settings: { rate_limit: { concurrency: CONCURRENCY } },
  });
  await client.many(count, 16, (i) =>
    client.call('POST', `/unified/crm/opportunities?integrated_account_id=${id}`, {
      name: `Renewal ${i}`,
      account: { id: '4711' },
      stage: { id: '14' },
    }),
  );
  while ((await openJobsOf(client, id)) > 0) await sleep(250);
}

async function writeByQueue(sandbox: BenchSandbox, count: number): Promise<void> {
  const task: PaceFloorTask = {
    url: `${sandbox.origin}/capsule/api/v2/opportunities`,
    authorization: `Bearer ${tokenOf(QUEUE)}`,
    body: { opportunity: { name: 'Renewal', party: { id: 4711 }, milestone: { id: 14 } } },
    ...{ count, requests: PER_SECOND, perMs: 1_000, concurrency: CONCURRENCY, strict: false },
  };
  await forkTask<PaceFloorResult>('floors/pace-floor.ts', task);
}
