import { percentile, round } from './figures.ts';
import type { SandboxCall } from './sandbox.ts';

const SECOND_MS = 1_000;
const REFUSED_SHOWN = 5;

export type PacedFigures = {
  written: number;
  /** Calls the provider answered 429. */
  refused: number;
  refused_in_last_third: number;
  /** Of the first refused calls: how long before them the call was taken that still filled the window; a whole one would have let them in. */
  refused_after_ms: number[];
  /** Of what the limit allows after the first second, in per cent: the provider counts every call it took. */
  allowed_used_percent: number;
  /** Calls taken a second in the last third: what the pace came to. */
  reached_per_second: number;
  /** Between two calls that were taken, after the first second. */
  gap_ms: { p50: number; p99: number; max: number };
  seconds: number;
};

/** What one account's calls at a provider with a limit of `perSecond` came to, by the provider's own log. */
export function pacedFigures(calls: readonly SandboxCall[], perSecond: number, endMs?: number): PacedFigures {
  const taken = calls.filter((call) => call.status !== 429);
  const firstMs = calls[0]?.startedAtMs ?? 0;
  const lastMs = endMs ?? taken.at(-1)?.startedAtMs ?? firstMs;
  const steadyMs = firstMs + SECOND_MS;
  const lastThirdMs = lastMs - (lastMs - firstMs) / 3;
  const since = (from: readonly SandboxCall[], ms: number) =>
    from.filter((call) => call.startedAtMs > ms && call.startedAtMs <= lastMs);
  const rateSince = (ms: number) => since(taken, ms).length / Math.max(0.001, (lastMs - ms) / SECOND_MS);
  const steady = since(taken, steadyMs);
  const gaps = steady.slice(1).map((call, i) => call.startedAtMs - (steady[i]?.startedAtMs ?? 0));
  const refused = calls.filter((call) => call.status === 429);
  return {
    written: taken.filter((call) => call.method === 'POST').length,
    refused: refused.length,
    refused_in_last_third: since(refused, lastThirdMs).length,
    refused_after_ms: refused.slice(0, REFUSED_SHOWN).map(({ startedAtMs }) => {
      const before = taken.filter((call) => call.startedAtMs <= startedAtMs);
      return round(startedAtMs - (before.at(-perSecond)?.startedAtMs ?? startedAtMs), 1);
    }),
    allowed_used_percent: round((100 * rateSince(steadyMs)) / perSecond, 1),
    reached_per_second: round(rateSince(lastThirdMs), 1),
    gap_ms: { p50: percentile(gaps, 50), p99: percentile(gaps, 99), max: Math.max(...gaps) },
    seconds: round((lastMs - firstMs) / SECOND_MS, 1),
  };
}
