import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from './figures.ts';
import { type BenchSandbox, byCredential } from './sandbox.ts';

export type LatencyFigures = {
  creates: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
  max_ms: number;
  /** Not at the provider when the measurement ended; counted with the time they had waited by then. */
  not_arrived: number;
};

export function latencyFigures(latenciesMs: readonly number[], notArrived: number): LatencyFigures {
  return {
    creates: latenciesMs.length,
    p50_ms: percentile(latenciesMs, 50),
    p95_ms: percentile(latenciesMs, 95),
    p99_ms: percentile(latenciesMs, 99),
    max_ms: Math.max(...latenciesMs),
    not_arrived: notArrived,
  };
}

export type Sender = {
  /** As the sandbox's call log shows it. */
  shown: string;
  send(i: number): Promise<unknown>;
};

/** How long to wait for the last creates to arrive. */
const ARRIVE_MS = 15_000;

/**
 * Sends creates one after the other, `everyMs` apart, in turn from each of `senders`, and measures from just before a create is
 * handed over until the provider has received it, by the provider's own log. An account's creates are told apart by their
 * order, so that they must be further apart than one takes.
 */
export async function measureLatency(options: {
  sandbox: BenchSandbox;
  senders: readonly Sender[];
  count: number;
  everyMs: number;
}): Promise<LatencyFigures> {
  const { sandbox, senders, count, everyMs } = options;
  const since = await sandbox.lastNumber('close');
  const sentMs = new Map<string, number[]>(senders.map(({ shown }) => [shown, []]));
  const sending: Promise<unknown>[] = [];
  const startedMs = Date.now();
  for (let i = 0; i < count; i++) {
    await sleep(Math.max(0, startedMs + i * everyMs - Date.now()));
    const sender = senders[i % senders.length];
    if (!sender) continue;
    sentMs.get(sender.shown)?.push(Date.now());
    sending.push(sender.send(i));
  }
  await Promise.all(sending);
  const arrivals = async () =>
    byCredential(
      (await sandbox.calls({ provider: 'close', method: 'POST', since })).filter(
        (call) => sentMs.has(call.authorization) && call.status !== 429,
      ),
    );
  const untilMs = Date.now() + ARRIVE_MS;
  let arrived = await arrivals();
  while (countOf(arrived) < count && Date.now() < untilMs) {
    await sleep(500);
    arrived = await arrivals();
  }
  const endMs = Date.now();
  let notArrived = 0;
  const latencies = [...sentMs].flatMap(([shown, times]) =>
    times.map((ms, i) => {
      const call = arrived.get(shown)?.[i];
      if (!call) notArrived += 1;
      return (call?.startedAtMs ?? endMs) - ms;
    }),
  );
  return latencyFigures(latencies, notArrived);
}

function countOf(arrived: Map<string, unknown[]>): number {
  return [...arrived.values()].reduce((sum, calls) => sum + calls.length, 0);
}
